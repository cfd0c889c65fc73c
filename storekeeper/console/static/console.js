// Makes the pages quicker to use. They work without it: whatever is done here, a form or a link does as well.
"use strict";

const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

// Times in the reader's zone, money as they write it.

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
    time.textContent = time.matches(".clock") ? at.toLocaleTimeString(undefined, { timeStyle: "short" }) : told(at);
  }
  for (const money of all("data.money", from)) {
    const digits = (money.value.split(".")[1] || "").length;
    const style = { style: "currency", currency: money.dataset.currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
    money.textContent = new Intl.NumberFormat(undefined, style).format(money.value);
  }
}

// A part of another page in place of the same part of this one.

class SignedOut extends Error {
  constructor(address) {
    super("The session has ended.");
    this.address = address; // of the page to sign in at
  }
}

async function load(address, options) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/sign-in")) throw new SignedOut(answer.url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  localise(page);
  return { page, answer };
}

function say(page) {
  const text = one("#notices", page);
  if (text && text.textContent.trim()) one("#notices").replaceChildren(...text.childNodes);
}

function tell(text) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.textContent = text;
  one("#notices").replaceChildren(notice);
}

// A form is sent once. Its button says that it is being sent; a second press does nothing. If no answer comes, the form
// can be sent again after a while: the server knows it by its key, and it counts once all the same.

const FORM_PATIENCE = 30000; // milliseconds
const isSent = new WeakSet();

function markSent(form, button) {
  isSent.add(form);
  if (button) {
    button.dataset.label = button.textContent;
    button.textContent = "Saving…";
    button.setAttribute("aria-disabled", "true");
  }
  if (form.enctype !== "multipart/form-data") setTimeout(() => markUnsent(form), FORM_PATIENCE);
}

function markUnsent(form) {
  isSent.delete(form);
  for (const button of all("button[data-label]", form)) {
    button.textContent = button.dataset.label;
    delete button.dataset.label;
    button.removeAttribute("aria-disabled");
  }
}

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.method !== "post") return;
  if (isSent.has(form)) return event.preventDefault();
  if (form.id === "table" && unsettled) {
    // A row may be saved already: with the others it would be saved once more. The form waits until that is known.
    event.preventDefault();
    if (await settle().then(() => true, () => false)) form.requestSubmit(submitter);
    return;
  }
  leaving = form.id === "table";
  markSent(form, submitter || one("button:not(.unseen)", form));
});

// Escape stops a page from loading, and then the form can be sent again.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const form of all("form")) markUnsent(form);
});

// A page from the browser's back/forward cache is a new showing. If a form of it was sent, what it shows is no longer so.
window.addEventListener("pageshow", async (event) => {
  if (!event.persisted) return;
  leaving = false;
  if (all("form").some((form) => isSent.has(form))) return location.reload();
  const { page } = await load(location.href).catch(() => ({})); // without an answer: these keys were never used
  const fresh = page ? all("[name=form_key]", page) : [];
  all("[name=form_key]").forEach((key, number) => { key.value = (fresh[number] || key).value; });
});

// Search as you type. The address says what is shown, so that it can be kept and gone back to.

function searchAsYouType(form) {
  let timer, running;
  const look = async () => {
    if (one("#table input.dirty")) return tell("Save your input first, or discard it with Escape. Then you can search.");
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = query.size ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action");
    running?.abort();
    running = new AbortController();
    try {
      const { page } = await load(address, { signal: running.signal });
      show(page, address);
    } catch (error) {
      if (error instanceof SignedOut) location.assign(error.address);
      else if (error.name !== "AbortError") form.submit();
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

// Rows are saved one after the other. Each goes with the key of the form, and its answer brings the next key. When no answer
// comes, the very same is sent again, with its key: what was saved already counts once.

const PAUSES = [1000, 3000, 8000]; // milliseconds before it is tried again
let unsettled = null; // the row that was sent, as long as it is not known what became of it
let queue = Promise.resolve();

function save(input) {
  const row = input.closest("tr");
  queue = queue.catch(() => null).then(async () => {
    if (unsettled) {
      const isSame = unsettled.row === row;
      const saved = await settle();
      if (isSame) return saved;
    }
    const form = input.form;
    const body = new URLSearchParams(["form_key", "back"].map((name) => [name, form.elements[name].value]));
    for (const each of all("input[name]", row)) if (each.type !== "checkbox") body.append(each.name, each.value);
    unsettled = { row, form, body, name: input.name };
    return settle();
  });
  return queue;
}

// What became of the row that was sent: the row as it is now, or null where it was refused, or is no longer in the list.
async function settle() {
  const { row, form, body } = unsettled;
  row.setAttribute("aria-busy", "true");
  try {
    const answered = await send(form.getAttribute("action"), body);
    unsettled = null;
    return put(row, form, answered);
  } catch (error) {
    if (!(error instanceof SignedOut)) {
      tell("The server does not answer. Your input is still here: press Enter to try again. It counts once.");
    } else {
      leaving = true;
      form.submit(); // all that was typed: it is here again after signing in
    }
    throw error;
  } finally {
    row.removeAttribute("aria-busy");
  }
}

async function send(address, body, pauses = PAUSES) {
  try {
    const answered = await load(address, { method: "POST", body });
    if (answered.answer.status < 500) return answered;
  } catch (error) {
    if (error instanceof SignedOut) throw error;
  }
  if (!pauses.length) throw new Error("no answer");
  await new Promise((resolve) => { setTimeout(resolve, pauses[0]); });
  return send(address, body, pauses.slice(1));
}

function put(row, form, { page, answer }) {
  const fresh = one(`#${row.id}`, page);
  form.elements.form_key.value = (one("#table [name=form_key]", page) || one("[name=form_key]", page)).value;
  say(page);
  if (!fresh) {
    if (answer.ok) row.remove();
    else tell(one("main", page).innerText.trim());
    return null;
  }
  const refusal = one(".refusal", page);
  if (answer.ok) fresh.classList.add("saved");
  else if (refusal && !one(".error", fresh)) tell(refusal.textContent.trim().replace(/\s+/g, " "));
  const tick = one("[name=item]", row);
  if (tick?.checked) one("[name=item]", fresh).checked = true;
  const isFocused = row.contains(document.activeElement) ? document.activeElement.name : null;
  row.replaceWith(fresh);
  if (isFocused) one(`[name="${isFocused}"]`, fresh)?.focus();
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
    if (input.closest("[aria-busy]")) return; // it is being saved
    if (input.value.trim() === wasOf(input)) return go(next);
    const saved = await save(input).catch(() => null);
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
  if (!one("#table input.dirty") || leaving) return;
  event.preventDefault();
  setTimeout(() => { for (const form of all("form")) markUnsent(form); }); // for who stays
});
let leaving = false;

// An import goes on by itself: look how far it is.

function follow(part) {
  setTimeout(async () => {
    try {
      const { page } = await load(part.dataset.refresh);
      const fresh = one("#results", page);
      part.replaceChildren(...fresh.childNodes);
      if (fresh.dataset.refresh) follow(part);
    } catch (error) {
      if (error instanceof SignedOut) location.assign(error.address);
      else follow(part); // the server may be away for a moment
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
