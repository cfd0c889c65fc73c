// Makes the pages quicker to use. They work without it: whatever is done here, a form or a link does as well.
"use strict";

const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// Times in the reader's zone, money as he writes it.

const days = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

function told(at) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const ago = Math.round((new Date(at).setHours(0, 0, 0, 0) - midnight) / 86400000);
  if (ago !== 0 && ago !== -1) return at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return `${days.format(ago, "day")}, ${at.toLocaleTimeString(undefined, { timeStyle: "short" })}`;
}

function localise(from) {
  for (const time of all("time[datetime]", from)) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    time.textContent = told(at);
  }
  for (const money of all("data.money", from)) {
    const digits = (money.value.split(".")[1] || "").length;
    const style = { style: "currency", currency: money.dataset.currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
    money.textContent = new Intl.NumberFormat(undefined, style).format(money.value);
  }
}

// A part of another page in place of the same part of this one.

async function load(address, options) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/sign-in")) {
    location.assign(answer.url); // the session has ended
    throw new Error("signed out");
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  localise(page);
  return { page, answer };
}

function say(page) {
  const text = one("#notices", page);
  if (text && text.textContent.trim()) one("#notices").replaceChildren(...text.childNodes);
}

// Search as you type. The address says what is shown, so that it can be kept and gone back to.

function searchAsYouType(form) {
  let timer, running;
  const look = async () => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = query.size ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action");
    running?.abort();
    running = new AbortController();
    try {
      const { page } = await load(address, { signal: running.signal });
      show(page, address);
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 150);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    look();
  });
}

function show(page, address) {
  one("#results").replaceChildren(...one("#results", page).childNodes);
  history.replaceState(null, "", address);
  prepareTable();
}

// The table: each price and each change of the stock is saved by itself, with the keyboard alone.

function prepareTable() {
  const form = one("#table");
  if (!form) return;
  const ticks = one("[data-all]", form);
  if (ticks) ticks.hidden = false;
}

const isCell = (target) => target instanceof HTMLInputElement && target.matches("#table input.price, #table input.delta");

function wasOf(input) {
  const was = one(`[name="was-${input.name}"]`, input.form);
  return was ? was.value : "";
}

async function save(input) {
  const row = input.closest("tr");
  const sent = new URLSearchParams([["back", input.form.elements.back.value]]);
  for (const each of all("input[name]", row)) if (each.type !== "checkbox") sent.append(each.name, each.value);
  row.setAttribute("aria-busy", "true");
  const { page, answer } = await load(input.form.getAttribute("action"), { method: "POST", body: sent });
  const fresh = one(`#${row.id}`, page);
  if (!fresh) {
    location.reload();
    return null;
  }
  if (answer.ok) fresh.classList.add("saved");
  say(page);
  const tick = one("[name=item]", row);
  if (tick?.checked) one("[name=item]", fresh).checked = true;
  const isFocused = row.contains(document.activeElement) ? document.activeElement.name : null;
  row.replaceWith(fresh);
  if (isFocused && (!answer.ok || isFocused !== input.name)) one(`[name="${isFocused}"]`, fresh)?.focus();
  return answer.ok ? fresh : null;
}

function neighbour(input, step) {
  const kind = input.classList.contains("price") ? "input.price" : "input.delta";
  const cells = all(`#table ${kind}`);
  return cells[cells.indexOf(input) + step];
}

function go(cell) {
  if (!cell) return;
  cell.focus();
  cell.select();
}

document.addEventListener("keydown", async (event) => {
  const input = event.target;
  if (event.key === "Enter" && input.matches(".selection input")) {
    event.preventDefault(); // the first button of the form is another one
    one("button", input.closest(".selection")).click();
  }
  if (!isCell(input)) return;
  if (event.key === "Escape") {
    input.value = wasOf(input);
    input.classList.remove("dirty");
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    go(neighbour(input, event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter") {
    event.preventDefault();
    const next = neighbour(input, 1);
    if (input.value.trim() === wasOf(input)) return go(next);
    const saved = await save(input).catch(() => input.form.submit());
    if (saved) go(next && next.isConnected ? next : one(`[name="${input.name}"]`, saved));
  }
});

document.addEventListener("input", (event) => {
  if (isCell(event.target)) event.target.classList.toggle("dirty", event.target.value.trim() !== wasOf(event.target));
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("[data-all]")) {
    for (const tick of all(`[name=${target.dataset.all}]`, target.form)) tick.checked = target.checked;
  }
});

// What was typed is not lost by a click.

window.addEventListener("beforeunload", (event) => {
  if (one("#table input.dirty") && !leaving) event.preventDefault();
});
let leaving = false;
document.addEventListener("submit", () => { leaving = true; });

// An import goes on by itself: look how far it is.

function follow(part) {
  setTimeout(async () => {
    try {
      const { page } = await load(part.dataset.refresh);
      const fresh = one("#results", page);
      part.replaceChildren(...fresh.childNodes);
      if (fresh.dataset.refresh) follow(part);
    } catch {
      follow(part); // the server may be away for a moment
    }
  }, 1000);
}

// A file can be dropped on its form.

function takeDrops(form) {
  const input = one("input[type=file]", form);
  const mark = (event, is) => {
    event.preventDefault();
    form.classList.toggle("dropping", is);
  };
  form.addEventListener("dragover", (event) => mark(event, true));
  form.addEventListener("dragleave", (event) => mark(event, false));
  form.addEventListener("drop", (event) => {
    mark(event, false);
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

localise(document);
prepareTable();
for (const part of all("[data-refresh]")) follow(part);
for (const form of all("[data-drop]")) takeDrops(form);
for (const form of all("[data-live]")) searchAsYouType(form);
