"use strict";
// What plain HTML cannot: Airflow's colours, links that leave Airflow's frame, filters without a button, fresh facts.

const RENEW_AFTER = 15000; // milliseconds; the server asks the vendor at most every 30 s, whoever looks
const TYPING = 300;

const outer = (() => {
  try {
    return window.parent !== window && window.parent.document ? window.parent : null;
  } catch {
    return null; // framed by a page of another origin
  }
})();

function adoptTheme() {
  const html = outer ? outer.document.documentElement : null;
  const said = html && (html.classList.contains("dark") ? "dark" : html.classList.contains("light") ? "light" : html.dataset.theme);
  const dark = said ? said === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

adoptTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", adoptTheme);
if (outer) {
  new MutationObserver(adoptTheme).observe(outer.document.documentElement, { attributes: true });
}

// Airflow's frame may not navigate the window around it, but a link of that window may.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || !outer || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const there = outer.document.createElement("a");
  there.href = link.href;
  outer.document.body.append(there);
  there.click();
  there.remove();
});

// --- fresh facts, in place: whoever types or reads keeps focus and place ---

let latest = 0;

async function show(address) {
  const mine = ++latest;
  let text;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    return; // the next time may do
  }
  if (mine !== latest) return; // somebody has asked for something else meanwhile
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  const old = document.getElementById("live");
  if (!fresh || !old) return;
  const focus = document.activeElement;
  const id = old.contains(focus) ? focus.id : "";
  const typed = focus.matches("input[type=search]") ? [focus.value, focus.selectionStart] : null;
  old.replaceWith(document.adoptNode(fresh));
  const again = id && document.getElementById(id);
  if (!again) return;
  again.focus({ preventScroll: true });
  if (typed) {
    again.value = typed[0];
    again.setSelectionRange(typed[1], typed[1]);
  }
}

function go(form) {
  const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${form.action}?${wanted}`;
  history.replaceState(null, "", address);
  show(address);
}

let waiting;
document.addEventListener("input", (event) => {
  if (!event.target.form) return;
  clearTimeout(waiting);
  waiting = setTimeout(go, event.target.type === "search" ? TYPING : 0, event.target.form);
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  go(event.target);
});

setInterval(() => {
  const busy = document.activeElement && document.activeElement.matches("select, details *");
  if (document.visibilityState === "visible" && !busy) show(location.href);
}, RENEW_AFTER);
