// The table of all decisions as it is seen. At most one page of rows is ever in the document; text is only ever placed
// as text.
(() => {
  const PAGE = 100;
  const MOST_OPEN = 20; // explanations that an address remembers
  const REST = 700; // milliseconds without a key after which what was found is spoken
  const byId = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");

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
  /** A name that may be broken behind its signs, and only there. */
  const breakable = (text) => {
    const made = apart("");
    for (const piece of text.split(/(?<=[\\.@_-])/)) made.append(piece, document.createElement("wbr"));
    return made;
  };

  // What is asked for ----------------------------------------------------------------------------------------

  const FILTERS = { type: ["license", data.types], state: ["state", data.states], by: ["by", data.reasons], change: ["change", data.changes] };
  const state = { query: "", filters: { type: "", state: "", by: "", change: "" }, sort: null, down: false, page: 0, open: new Set() };

  /** The address of what is seen, so that it can be sent: names, not numbers, so that it fits the page made anew. */
  const toAddress = () => {
    const asked = new URLSearchParams();
    if (state.query) asked.set("q", state.query);
    for (const [column, [key, names]] of Object.entries(FILTERS)) {
      if (state.filters[column] !== "") asked.set(key, names[state.filters[column]]);
    }
    if (state.sort !== null) asked.set("sort", `${COLUMNS[state.sort].key}${state.down ? " down" : ""}`);
    if (state.page) asked.set("page", state.page + 1);
    const open = [...state.open].slice(0, MOST_OPEN).map((row) => columns.id[row]);
    if (open.length) asked.set("open", open.join(","));
    return asked.size ? `#decisions?${asked}` : "#decisions";
  };

  /** Takes over what an address asks for; whether it asks for anything. */
  const fromAddress = () => {
    if (!location.hash.startsWith("#decisions?")) return false;
    const asked = new URLSearchParams(location.hash.slice("#decisions?".length));
    state.query = byId("search").value = asked.get("q") ?? "";
    for (const [column, [key, names]] of Object.entries(FILTERS)) {
      const place = names.indexOf(asked.get(key));
      state.filters[column] = byId(`by-${column}`).value = place < 0 ? "" : String(place);
    }
    const [sort, down] = (asked.get("sort") ?? "").split(" ");
    const index = COLUMNS.findIndex((column) => column.key === sort);
    state.sort = index < 0 ? null : index;
    state.down = down === "down";
    state.page = Math.max(0, Math.trunc(Number(asked.get("page") ?? 1)) - 1) || 0;
    const open = new Set((asked.get("open") ?? "").split(","));
    state.open = new Set(open.has("") ? [] : ALL.filter((row) => open.has(columns.id[row])));
    return true;
  };

  let resting = 0;
  let before = "";
  /** Once the keys rest: speaks, unless that was just said, and writes the address. */
  const settle = (words) => {
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (words !== before) byId("spoken").textContent = words;
      before = words;
      if (toAddress() !== "#decisions" || location.hash.startsWith("#decisions?")) history.replaceState(null, "", toAddress());
    }, REST);
  };

  // The explanation of a row -------------------------------------------------------------------------------

  const MARKS = new Map([
    [true, ["true", "✓", "holds: "]], [false, ["false", "✗", "does not hold: "]], [null, ["unknown", "?", "unknown: "]],
  ]);

  const branch = (row, node, title = null, place = null) => {
    const [truth, text, parts] = data.nodes[node];
    const [name, mark, spoken] = MARKS.get(truth);
    const line = element("div", { class: title ? "line rule" : "line" },
      element("span", { class: "mark", "aria-hidden": "true" }, mark), title,
      element("span", { class: "found" }, unseen(spoken), apart(say(text, row))), place);
    const below = parts.length ? element("ul", {}, ...parts.map((part) => branch(row, part))) : null;
    return element("li", { class: name, "data-truth": String(truth) }, line, below);
  };

  const tree = (row) => {
    const branches = data.rulesOf[columns.type[row]].map((index, position) => {
      const rule = data.rules[index];
      const title = element("span", { class: "title" }, apart(rule.title));
      const place = element("a", { href: `#${rule.anchor}`, class: "place" }, rule.at);
      return branch(row, data.trees[columns.tree[row]][position], title, place);
    });
    return branches.length
      ? element("ul", { class: "tree" }, ...branches)
      : element("p", {}, `No rule speaks of ${typeOf(row)} licenses.`);
  };

  const story = (row) => {
    const facts = [["License", columns.id[row]], ["Last used", LAST_USED(row)]];
    const [headline, advice] = data.stories[columns.story[row]];
    if (typeof columns.change[row] === "number") facts.push(["Since the run before", data.changes[columns.change[row]]]);
    if (!isKept(row)) facts.push(["State", `${stateOf(row)}: ${data.meanings[columns.state[row]]}`]);
    return element("td", { colspan: COLUMNS.length, role: "cell" },
      element("p", { class: "headline" }, apart(say(headline, row))),
      tree(row),
      ...advice.map((text) => element("p", {}, apart(say(text, row)))),
      element("dl", {}, ...facts.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, apart(text))])));
  };

  // The table ----------------------------------------------------------------------------------------------

  const table = byId("table");
  const [body] = table.tBodies;
  const head = table.tHead.rows[0];

  /** Opens or closes a row, as it is noted in `state.open`. */
  const fit = (line) => {
    const row = Number(line.dataset.row);
    const open = state.open.has(row);
    const button = line.querySelector("button");
    button.setAttribute("aria-expanded", String(open));
    line.classList.toggle("open", open);
    if (open) {
      button.setAttribute("aria-controls", `story-${row}`);
      line.after(element("tr", { class: "story", role: "row", id: `story-${row}` }, story(row)));
    } else {
      button.removeAttribute("aria-controls");
      byId(`story-${row}`)?.remove();
    }
  };

  const toggle = (line) => {
    const row = Number(line.dataset.row);
    if (!state.open.delete(row)) state.open.add(row);
    fit(line);
    settle("");
  };

  const line = (row) => {
    const cells = COLUMNS.map((column, index) => {
      const text = column.breaks ? breakable(column.text(row)) : apart(column.text(row));
      if (index === 0) {
        const button = element("button", { type: "button", "aria-expanded": "false" }, text);
        return element("th", { scope: "row", role: "rowheader" }, button);
      }
      const tint = column.tint ? (isKept(row) ? " keep" : " release") : "";
      return element("td", { class: (column.class ?? "") + tint, role: "cell", "data-label": column.title }, text);
    });
    return element("tr", { class: "row", role: "row", "data-row": row }, ...cells);
  };

  const DIRECTIONS = { number: ["smallest first", "largest first"], text: ["A to Z", "Z to A"] };
  const direction = () => {
    if (state.sort === null) return "";
    const { title, numeric } = COLUMNS[state.sort];
    return `, by ${title.toLowerCase()}, ${DIRECTIONS[numeric ? "number" : "text"][Number(state.down)]}`;
  };

  const PAGERS = ["pages-above", "pages-below"].map((id) => {
    const made = byId(id);
    const where = element("span", {});
    const buttons = [["First", () => 0], ["Previous", () => state.page - 1], ["Next", () => state.page + 1], ["Last", (last) => last]]
      .map(([label, to]) => [element("button", { type: "button", onclick: () => turn(to(pages() - 1)) }, label), to]);
    made.append(...buttons.slice(0, 2).map(([button]) => button), where, ...buttons.slice(2).map(([button]) => button));
    return { made, where, buttons };
  });

  let found = [];
  const pages = () => Math.ceil(found.length / PAGE);

  const show = () => {
    const rows = orderOf(state.sort);
    found = matching(rows, state.query, state.filters);
    if (state.down) found.reverse();
    state.page = Math.max(0, Math.min(state.page, pages() - 1));
    const first = state.page * PAGE;
    const here = found.slice(first, first + PAGE);
    body.replaceChildren(...here.map(line));
    for (const shown of [...body.rows]) if (state.open.has(Number(shown.dataset.row))) fit(shown);
    const range = found.length > PAGE ? `; shown are ${number.format(first + 1)} to ${number.format(first + here.length)}` : "";
    const words = `${number.format(found.length)} of ${number.format(count)} decisions${range}`;
    byId("found").textContent = words;
    byId("nothing").hidden = found.length > 0;
    PAGERS.forEach(({ made, where, buttons }) => {
      made.hidden = pages() < 2;
      where.textContent = `Page ${number.format(state.page + 1)} of ${number.format(pages())}`;
      for (const [button, to] of buttons) {
        const page = to(pages() - 1);
        button.disabled = page < 0 || page >= pages() || page === state.page;
      }
    });
    settle((found.length ? words : "Nobody is found") + direction());
  };

  const showFromStart = () => {
    state.page = 0;
    show();
  };

  const turn = (page) => {
    state.page = page;
    show();
    body.querySelector("button")?.focus();
    table.scrollIntoView({ block: "start" });
  };

  const mark = () => COLUMNS.forEach((_, index) => {
    const sorted = state.sort === index ? (state.down ? "descending" : "ascending") : null;
    if (sorted) head.cells[index].setAttribute("aria-sort", sorted);
    else head.cells[index].removeAttribute("aria-sort");
  });
  COLUMNS.forEach((column, index) => {
    const sort = () => {
      // A number's first click asks for the largest.
      state.down = state.sort === index ? !state.down : Boolean(column.numeric);
      state.sort = index;
      mark();
      showFromStart();
    };
    head.cells[index].setAttribute("role", "columnheader");
    head.cells[index].replaceChildren(element("button", { type: "button", onclick: sort }, column.title));
  });
  // Roles of their own: on narrow screens the style lays rows out as blocks, which would take the table's away.
  for (const [place, role] of [[table, "table"], [table.tHead, "rowgroup"], [head, "row"], [body, "rowgroup"]]) {
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

  for (const [column, [, names]] of Object.entries(FILTERS)) {
    const counts = new Map();
    for (const value of columns[column]) counts.set(value, (counts.get(value) ?? 0) + 1);
    const options = names.flatMap((name, index) =>
      counts.has(index) ? [element("option", { value: index }, `${name} (${number.format(counts.get(index))})`)] : []);
    const select = byId(`by-${column}`);
    select.append(...options);
    select.addEventListener("change", () => {
      state.filters[column] = select.value;
      showFromStart();
    });
    select.closest("label").hidden = options.length === 0;
  }

  byId("search").addEventListener("input", (event) => {
    state.query = event.target.value;
    showFromStart();
  });
  const clear = () => {
    state.query = byId("search").value = "";
    for (const column of Object.keys(state.filters)) state.filters[column] = byId(`by-${column}`).value = "";
  };
  const clearAndShow = () => {
    clear();
    showFromStart();
    byId("search").focus();
  };
  byId("clear").addEventListener("click", clearAndShow);
  byId("nothing").querySelector("button").addEventListener("click", clearAndShow);

  // Ways there and back --------------------------------------------------------------------------------------

  // Counts elsewhere on the page lead to their rows.
  for (const column of ["by", "change"]) {
    for (const link of document.querySelectorAll(`a[data-${column}]`)) {
      link.addEventListener("click", () => {
        clear();
        byId(`by-${column}`).value = state.filters[column] = link.dataset[column];
        showFromStart();
      });
    }
  }

  // From the place of a rule one gets back to where one was.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.place");
    if (!link) return;
    document.querySelector("button.return")?.remove();
    const from = link.closest("tr.story")?.previousElementSibling.querySelector("button") ?? link;
    const back = () => {
      button.remove();
      from.scrollIntoView({ block: "center" });
      from.focus();
    };
    const button = element("button", { type: "button", class: "return", onclick: back }, `Back to ${from === link ? "the rules" : from.textContent}`);
    byId(link.hash.slice(1)).append(button);
    setTimeout(() => button.focus({ preventScroll: true }));
  });

  addEventListener("hashchange", () => {
    if (fromAddress()) look();
  });
  const look = () => {
    mark();
    show();
    byId("decisions").scrollIntoView();
  };

  // Paper --------------------------------------------------------------------------------------------------

  const paper = byId("listed").querySelector("table");
  const wanted = byId("print-found");
  addEventListener("beforeprint", () => {
    if (!wanted.checked) return;
    const cells = (row) => COLUMNS.map((column) => element("td", { class: column.class ?? null }, apart(column.text(row))));
    paper.tBodies[0].replaceChildren(...found.map((row) => element("tr", {}, ...cells(row))));
    byId("listed-title").textContent = byId("found").textContent.split(";")[0];
    byId("listed").hidden = false;
  });
  addEventListener("afterprint", () => {
    byId("listed").hidden = true;
    paper.tBodies[0].replaceChildren();
  });

  if (fromAddress()) look();
  else show();
  clearTimeout(resting); // nothing has happened yet that would have to be said
  prepare();
})();
