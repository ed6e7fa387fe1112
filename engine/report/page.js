"use strict";
// The table of all decisions. The data block holds every decision column by column (engine/report/table.py says in
// which shape); at most one page of rows is ever in the document. Text is only ever placed as text.
(() => {
  const PAGE = 100;
  const data = JSON.parse(document.getElementById("data").textContent);
  const { columns, texts, nodes, rules } = data;
  const count = columns.user.length;
  const byId = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en-US");

  // Small builders ---------------------------------------------------------------------------------------

  const element = (name, properties = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  const unseen = (text) => element("span", { class: "unseen" }, text);
  const apart = (text) => element("bdi", {}, text); // text of either direction leaves its neighbours alone

  // What a cell says ---------------------------------------------------------------------------------------

  const days = (row) => (columns.days[row] === null ? "?" : number.format(columns.days[row]));
  const outcome = (row) => data.outcomes[columns.outcome[row]];
  const type = (row) => data.types[columns.type[row]];
  const why = (row) => texts[columns.why[row]];
  const kept = (row) => outcome(row) === "kept";

  const SHOWN = [
    { title: "User", text: (row) => columns.user[row] },
    { title: "Name", text: (row) => columns.name[row], class: "name" },
    { title: "License", text: type, class: "plain" },
    { title: "Verdict", text: outcome, class: "plain", tint: true },
    { title: "Days unused", text: days, number: (row) => columns.days[row] ?? -1, class: "number" },
    { title: "Why", text: why, class: "why" },
  ];

  // Which rows, in which order -----------------------------------------------------------------------------

  const state = { query: "", type: "", outcome: "", reason: "", change: "", sort: null, down: false, page: 0 };
  const collator = new Intl.Collator("en", { numeric: true });
  const orders = new Map([[null, Array.from({ length: count }, (_, row) => row)]]);
  let haystack = null;

  /** All rows in the order of a column, sorted once; null is the order of the plan. */
  const orderOf = (index) => {
    if (!orders.has(index)) {
      const column = SHOWN[index];
      const keys = orders.get(null).map(column.number ?? column.text);
      const compare = column.number ? (one, other) => one - other : collator.compare;
      orders.set(index, [...orders.get(null)].sort((one, other) => compare(keys[one], keys[other])));
    }
    return orders.get(index);
  };

  /** The text that a search looks through, for each row. */
  const searched = () => {
    haystack ??= orders.get(null).map((row) =>
      [columns.user[row], columns.name[row], columns.id[row], why(row)].join("\n").toLowerCase());
    return haystack;
  };

  const chosen = () => {
    const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = words.length ? searched() : null;
    const fits = (column, wanted) => wanted === "" ? () => true : (row) => columns[column][row] === Number(wanted);
    const tests = ["type", "outcome", "reason", "change"].map((column) => fits(column, state[column]));
    const rows = orderOf(state.sort).filter((row) =>
      tests.every((test) => test(row)) && words.every((word) => texts[row].includes(word)));
    return state.down ? rows.reverse() : rows;
  };

  // The explanation of a row -------------------------------------------------------------------------------

  const MARKS = new Map([
    [true, ["true", "✓", "holds: "]], [false, ["false", "✗", "does not hold: "]], [null, ["unknown", "?", "unknown: "]],
  ]);

  const branch = (node, title = null, place = null) => {
    const [truth, text, parts] = nodes[node];
    const [name, mark, spoken] = MARKS.get(truth);
    const line = element("div", { class: title ? "line rule" : "line" },
      element("span", { class: "mark", "aria-hidden": "true" }, mark), title,
      element("span", { class: "found" }, unseen(spoken), apart(texts[text])), place);
    const below = parts.length ? element("ul", {}, ...parts.map((part) => branch(part))) : null;
    return element("li", { class: name, "data-truth": String(truth) }, line, below);
  };

  const tree = (row) => {
    const branches = data.rulesOf[columns.type[row]].map((index, position) => {
      const rule = rules[index];
      const title = element("span", { class: "title" }, apart(rule.title));
      const place = element("a", { href: `#L${rule.line}`, class: "place" }, rule.at);
      return branch(columns.tree[row][position], title, place);
    });
    return branches.length
      ? element("ul", { class: "tree" }, ...branches)
      : element("p", {}, `No rule speaks of ${type(row)} licenses.`);
  };

  const story = (row) => {
    const facts = [["License", columns.id[row]], ["Last used", columns.used[row] ?? "never, or not known"]];
    if (columns.change[row] !== null) facts.push(["Since the run before", data.changes[columns.change[row]]]);
    if (!kept(row)) facts.push(["In this run", outcome(row)]);
    return element("td", { colspan: SHOWN.length, role: "cell" },
      element("p", { class: "headline" }, apart(texts[columns.headline[row]])),
      tree(row),
      ...columns.advice[row].map((text) => element("p", {}, apart(texts[text]))),
      element("dl", {}, ...facts.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, apart(text))])));
  };

  // The table ----------------------------------------------------------------------------------------------

  const body = byId("table").tBodies[0];

  const toggle = (line) => {
    const button = line.querySelector("button");
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    line.classList.toggle("open", !open);
    if (open) line.nextElementSibling.remove();
    else line.after(element("tr", { class: "story", role: "row", id: `story-${line.dataset.row}` }, story(Number(line.dataset.row))));
  };

  const line = (row) => {
    const cells = SHOWN.map((column, index) => {
      const text = apart(column.text(row));
      if (index === 0) {
        const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": `story-${row}` }, text);
        return element("th", { scope: "row", role: "rowheader" }, button);
      }
      const tint = column.tint ? (kept(row) ? " keep" : " release") : "";
      return element("td", { class: column.class + tint, role: "cell" }, text);
    });
    return element("tr", { class: "row", role: "row", "data-row": row }, ...cells);
  };

  const pager = (pages) => {
    const go = (page, label) => {
      const off = page < 0 || page >= pages || page === state.page;
      return element("button", { type: "button", disabled: off ? "" : null, onclick: () => turn(page) }, label);
    };
    const where = element("span", {}, `Page ${number.format(state.page + 1)} of ${number.format(pages)}`);
    byId("pages").replaceChildren(...(pages < 2 ? [] : [
      go(0, "First"), go(state.page - 1, "Previous"), where, go(state.page + 1, "Next"), go(pages - 1, "Last")]));
  };

  const turn = (page) => {
    state.page = page;
    show();
    byId("found").scrollIntoView({ block: "start" });
    byId("decisions").focus({ preventScroll: true }); // the button that was pressed is gone
  };

  const show = () => {
    const rows = chosen();
    const first = state.page * PAGE;
    const here = rows.slice(first, first + PAGE);
    body.replaceChildren(...here.map(line));
    const range = rows.length > PAGE ? `; shown are ${number.format(first + 1)} to ${number.format(first + here.length)}` : "";
    byId("found").textContent = `${number.format(rows.length)} of ${number.format(count)} decisions${range}`;
    pager(Math.ceil(rows.length / PAGE));
  };

  const showFromStart = () => {
    state.page = 0;
    show();
  };

  const headings = () => SHOWN.map((column, index) => {
    const sorted = state.sort === index ? (state.down ? "descending" : "ascending") : null;
    const sort = () => {
      // A number's first click asks for the largest.
      state.down = state.sort === index ? !state.down : Boolean(column.number);
      state.sort = index;
      head.replaceChildren(...headings());
      head.children[index].querySelector("button").focus();
      showFromStart();
    };
    const button = element("button", { type: "button", onclick: sort }, column.title);
    return element("th", { scope: "col", role: "columnheader", "aria-sort": sorted, class: column.number ? "number" : null }, button);
  });
  const head = byId("table").tHead.rows[0];
  head.replaceChildren(...headings());
  // Roles of their own: on narrow screens the style lays rows out as blocks, which would take the table's away.
  for (const [place, role] of [[byId("table"), "table"], [byId("table").tHead, "rowgroup"], [head, "row"], [body, "rowgroup"]]) {
    place.setAttribute("role", role);
  }

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr.row");
    const selecting = String(getSelection()) !== "" && !event.target.closest("button");
    if (row && !selecting) toggle(row);
  });
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = [...body.querySelectorAll("th button")];
    const next = step && buttons[buttons.indexOf(event.target) + step];
    if (!next || !buttons.includes(event.target)) return;
    event.preventDefault();
    next.focus();
  });

  // Filters ------------------------------------------------------------------------------------------------

  const fill = (column, names) => {
    const counts = new Map();
    for (const value of columns[column]) counts.set(value, (counts.get(value) ?? 0) + 1);
    const options = names.flatMap((name, index) =>
      counts.has(index) ? [element("option", { value: index }, `${name} (${number.format(counts.get(index))})`)] : []);
    const select = byId(`by-${column}`);
    select.append(element("option", { value: "" }, "all"), ...options);
    select.addEventListener("change", () => {
      state[column] = select.value;
      showFromStart();
    });
    select.closest("label").hidden = options.length === 0;
  };
  fill("type", data.types);
  fill("outcome", data.outcomes);
  fill("reason", data.reasons);
  fill("change", data.changes);

  byId("search").addEventListener("input", (event) => {
    state.query = event.target.value;
    showFromStart();
  });
  const clear = () => Object.assign(state, { query: "", type: "", outcome: "", reason: "", change: "" });
  byId("filters").addEventListener("reset", () => {
    clear();
    showFromStart();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());

  // Counts elsewhere on the page lead to their rows.
  for (const column of ["reason", "change"]) {
    for (const link of document.querySelectorAll(`a[data-${column}]`)) {
      link.addEventListener("click", () => {
        byId("filters").reset();
        byId(`by-${column}`).value = state[column] = link.dataset[column];
        showFromStart();
      });
    }
  }

  // Paper --------------------------------------------------------------------------------------------------

  const paper = byId("released").querySelector("table");
  addEventListener("beforeprint", () => {
    const due = orders.get(null).filter((row) => !kept(row));
    const cells = (row) => SHOWN.map((column) => element("td", { class: column.class ?? null }, apart(column.text(row))));
    paper.tHead.replaceChildren(element("tr", {}, ...SHOWN.map((column) => element("th", { scope: "col" }, column.title))));
    paper.tBodies[0].replaceChildren(...due.map((row) => element("tr", {}, ...cells(row))));
    byId("released-title").textContent = due.length ? `Licenses due for release (${number.format(due.length)})` : "No license is due for release";
  });
  addEventListener("afterprint", () => paper.tBodies[0].replaceChildren());

  show();
})();
