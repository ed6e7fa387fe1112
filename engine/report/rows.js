"use strict";
// The rows of the table of decisions: what they say, which of them are found, in which order. The data block holds
// every decision column by column; engine/report/table.py says in which shape. Nothing here touches the page.
const data = JSON.parse(document.getElementById("data").textContent);
const { columns, texts } = data;
const count = columns.id.length;
const number = new Intl.NumberFormat("en-US");

// What a row says --------------------------------------------------------------------------------------------

const stateOf = (row) => data.states[columns.state[row]];
const typeOf = (row) => data.types[columns.type[row]];
const userOf = (row) => texts[columns.directory[row]] + columns.user[row];
const daysOf = (row) => (columns.days[row] === null ? "?" : number.format(columns.days[row]));
const isKept = (row) => stateOf(row) === "kept";

/** A text for a row: as it is, or with what the row has in its columns, in turn text and column. */
const say = (text, row) => {
  const pieces = texts[text];
  if (typeof pieces === "string") return pieces;
  return pieces.map((piece, n) => n % 2 ? SLOTS[piece](row) : piece).join("");
};
const SLOTS = {
  user: (row) => columns.user[row],
  name: (row) => columns.name[row],
  reason: (row) => say(columns.reason[row], row),
  state: (row) => stateOf(row).toUpperCase(),
};
const whyOf = (row) => say(columns.why[row], row);

const LAST_USED = (row) => {
  const used = columns.used[row];
  if (used === null) return "not known";
  return used === false ? "never; the days are counted from its allocation" : used;
};

// Finding ----------------------------------------------------------------------------------------------------

// All rows are folded and searched as one long text: a hundred thousand short ones would take ten times as long. What
// stands between two rows is in no text of ours, which spell out such characters.
const BETWEEN = "\u0001";
const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i", ħ: "h", ŧ: "t" };
const folds = new Map();
const foldRun = (run) => {
  if (!folds.has(run)) {
    const plain = run.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
    folds.set(run, plain.replace(/[ßæœøłđðþıħŧ]/g, (letter) => LETTERS[letter]));
  }
  return folds.get(run);
};
/** A text as a search sees it: no case, no accents. Nobody types `Çelik` on a keyboard without a cedilla. */
const fold = (text) => text.toLowerCase().replace(/[^\0-\x7f]+/g, foldRun);

const ALL = Array.from({ length: count }, (_, row) => row);
const once = (make) => {
  let made;
  return () => (made ??= make());
};
/** Whose licenses they are, row by row, folded; and where each row begins. */
const people = once(() => {
  const text = fold(ALL.map((row) => `${userOf(row)}\n${columns.name[row]}\n${columns.id[row]}`).join(BETWEEN));
  const starts = new Int32Array(count + 1);
  for (let row = 1; row < count; row += 1) starts[row] = text.indexOf(BETWEEN, starts[row - 1]) + 1;
  starts[count] = text.length + 1;
  return { text, starts };
});
/** The texts, folded; what their slots hold is found among the people. */
const textsFolded = once(() => texts.map((text) => fold(typeof text === "string" ? text : text.filter((_, n) => n % 2 === 0).join(" "))));

/** For each row, 1 where a word is found in it. */
const having = (word) => {
  const { text, starts } = people();
  const inText = textsFolded().map((one) => one.includes(word));
  const found = Uint8Array.from(columns.why, (why) => inText[why]);
  let row = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, starts[row + 1])) {
    while (starts[row + 1] <= at) row += 1;
    found[row] = 1;
    if (row + 1 >= count) break;
  }
  return found;
};

/** The rows, in the order given, that have every word and fit every filter. */
const matching = (rows, query, filters) => {
  const words = fold(query).split(/\s+/).filter(Boolean).map(having);
  const wanted = Object.entries(filters).filter(([, value]) => value !== "").map(([column, value]) => [columns[column], Number(value)]);
  return rows.filter((row) => words.every((word) => word[row]) && wanted.every(([column, value]) => column[row] === value));
};

// Order ------------------------------------------------------------------------------------------------------

/** How a text is sorted: without accents, numbers in it by their value. */
const sortable = (text) => fold(text).replace(/\d+/g, (digits) => digits.padStart(12, "0"));

/** The rows in the order of their texts, equal ones in the plan's. Compared is by the engine alone, which is quicker
    than any function of ours. */
const byTexts = (text) => sortable(ALL.map(text).join(BETWEEN)).split(BETWEEN)
  .map((key, row) => `${key}${BETWEEN}${String(row).padStart(9, "0")}`).sort()
  .map((key) => Number(key.slice(-9)));

/** The rows in the order of numbers, equal ones in the plan's: both are packed into one number. */
const byNumbers = (numbers) => {
  const packed = Float64Array.from(numbers, (value, row) => (value + 1) * count + row).sort();
  return Array.from(packed, (value) => value % count);
};

/** The rows in the order of names that many of them share; `column` says which of them a row has. */
const byNames = (names, column) => {
  const ranks = new Map([...new Set(names)].sort().map((name, rank) => [name, rank]));
  return byNumbers(column.map((index) => ranks.get(names[index])));
};

const COLUMNS = [
  { key: "user", title: "User", text: userOf, breaks: true, order: () => byTexts(userOf) },
  { key: "name", title: "Name", text: (row) => columns.name[row], order: () => byTexts((row) => columns.name[row]) },
  { key: "license", title: "License", text: typeOf, class: "plain", order: () => byNames(data.types, columns.type) },
  { key: "state", title: "State", text: stateOf, class: "plain", tint: true, order: () => byNames(data.states, columns.state) },
  { key: "days", title: "Days unused", text: daysOf, numeric: true, class: "number", order: () => byNumbers(columns.days.map((days) => days ?? -1)) },
  { key: "why", title: "Why", text: whyOf, order: () => byNames(textsFolded().map(sortable), columns.why) },
];

const orders = new Map([[null, ALL]]);
/** All rows in the order of a column, sorted once; null is the order of the plan. */
const orderOf = (index) => {
  if (!orders.has(index)) orders.set(index, COLUMNS[index].order());
  return orders.get(index);
};

/** Gets ready, while nothing else is to be done, what a first search or sort would wait for. */
const prepare = () => {
  const steps = [people, textsFolded, ...COLUMNS.map((_, index) => () => orderOf(index))];
  const next = () => {
    const step = steps.shift();
    if (step === undefined) return;
    step();
    wait(next);
  };
  const wait = globalThis.requestIdleCallback ?? ((call) => setTimeout(call, 50));
  wait(next);
};
