// Starts the language server for policies, and for YAML files with license rules in them; others it leaves alone.

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";

import { hasRules, notStarted, server, serverSettings, type Settings } from "./server";

let client: LanguageClient | undefined;
let starting: Promise<void> | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const look = (document: vscode.TextDocument): void => {
    const isPolicy = document.languageId === "seatwarden";
    if (starting === undefined && (isPolicy || (document.languageId === "yaml" && hasRules(document.getText())))) {
      starting = start();
    }
  };
  context.subscriptions.push(
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidChangeTextDocument((change) => look(change.document)),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("seatwarden.command")) {
        starting = stop().then(start);
      } else if (change.affectsConfiguration("seatwarden")) {
        void client?.sendNotification("workspace/didChangeConfiguration", {
          settings: { seatwarden: serverSettings(settings()) },
        });
      }
    }),
  );
  vscode.workspace.textDocuments.forEach(look);
}

export function deactivate(): Promise<void> {
  return stop();
}

function settings(): Settings {
  return vscode.workspace.getConfiguration("seatwarden") as unknown as Settings;
}

async function start(): Promise<void> {
  const started = server(settings());
  client = new LanguageClient("seatwarden", "seatwarden", started, {
    documentSelector: [
      { language: "seatwarden" },
      { language: "yaml", scheme: "file" },
    ],
    initializationOptions: serverSettings(settings()),
  });
  try {
    await client.start();
  } catch {
    void vscode.window.showErrorMessage(notStarted(started.command));
  }
}

async function stop(): Promise<void> {
  const before = client;
  client = undefined;
  await before?.stop().catch(() => undefined);
}
