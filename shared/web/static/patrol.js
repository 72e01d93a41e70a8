// Check-ins of a patrol that wait in the phone until there is a net. Kept: the task's id, the unit's code, what was
// ticked, the moment and a key that makes sending twice harmless. Never a name, a phone or a free text.
(() => {
  "use strict";
  const root = document.querySelector("[data-patrol]");
  if (!root) return;
  const STORE = `dachuan.patrol.${root.dataset.patrol}`;
  const said = root.dataset;
  const read = () => { try { return JSON.parse(localStorage.getItem(STORE)) || []; } catch { return []; } };
  const write = (queue) => localStorage.setItem(STORE, JSON.stringify(queue));
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const form = document.getElementById("check-in");
  const box = document.getElementById("unsent");
  let sending = false;

  function show() {
    const queue = read();
    box.hidden = queue.length === 0;
    box.querySelector("[data-unsent]").textContent = queue.length;
    const list = box.querySelector("ul");
    list.replaceChildren(...queue.map((one) => {
      const item = document.createElement("li");
      item.textContent = `${one.place} · ${one.words}`;
      if (one.refused) {
        const why = document.createElement("p");
        why.className = "dc-field-error";
        why.textContent = one.refused;
        const drop = document.createElement("button");
        drop.type = "button";
        drop.className = "btn btn-sm";
        drop.textContent = said.drop;
        drop.addEventListener("click", () => { write(read().filter((other) => other.key !== one.key)); show(); });
        item.append(why, drop);
      }
      return item;
    }));
    document.querySelectorAll("[data-task]").forEach((row) => {
      const waits = queue.find((one) => one.task === row.dataset.task);
      if (waits) mark(row, waits.refused ? said.refused : said.waiting);
    });
  }

  function mark(row, words) {
    const told = row.querySelector("[data-told]");
    told.textContent = words;
    told.hidden = false;
  }

  async function send() {
    if (sending) return;
    sending = true;
    try {
      for (const one of read().filter((each) => !each.refused)) {
        let answer;
        try {
          answer = await fetch(`${said.api}/${one.task}/check-ins`, {
            method: "POST",
            credentials: "same-origin",
            headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": one.key },
            body: JSON.stringify(one.body),
          });
        } catch {
          break; // no net: it waits
        }
        if (answer.status >= 500 || answer.status === 429 || answer.status === 408) break;
        if (answer.status === 401) { box.querySelector("[data-sign-in]").hidden = false; break; }
        const row = document.querySelector(`[data-task="${one.task}"]`);
        if (answer.ok) {
          write(read().filter((other) => other.key !== one.key));
          if (row) { mark(row, one.lead ? said.lead : said.sent); if (one.done) row.classList.add("dc-done"); }
        } else {
          const told = await answer.json().catch(() => ({}));
          const queue = read();
          const mine = queue.find((other) => other.key === one.key);
          if (mine) mine.refused = told.detail || String(answer.status);
          write(queue);
        }
      }
    } finally {
      sending = false;
      show();
    }
  }

  if (form) {
    document.querySelectorAll("[data-task] [data-open]").forEach((link) => {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const row = link.closest("[data-task]");
        form.reset();
        form.elements.task_id.value = row.dataset.task;
        form.querySelector("[data-place]").textContent = row.dataset.place;
        row.after(form.closest("li"));
        form.closest("li").hidden = false;
        form.querySelector("input[type=radio]").focus();
      });
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      const fields = new FormData(form);
      const result = fields.get("result");
      const signs = result === "suspicion" ? fields.getAll("signs") : [];
      const missing = form.querySelector("[data-missing]");
      missing.hidden = !(result === "suspicion" && signs.length === 0);
      if (!missing.hidden || !result) return;
      const body = { result, signs, at: new Date().toISOString() };
      if (fields.get("occupants")) body.occupants = Number(fields.get("occupants"));
      const task = fields.get("task_id");
      const row = document.querySelector(`[data-task="${task}"]`);
      const words = form.querySelector(`input[value="${result}"]`).closest("label").textContent.trim();
      write([...read(), { key: newKey(), task, place: row.dataset.place, words, body, done: result !== "not_home", lead: result === "suspicion" }]);
      form.closest("li").hidden = true;
      row.querySelector("[data-open]").focus();
      show();
      send();
    }, true);
  }
  box.querySelector("[data-send]").addEventListener("click", send);
  window.addEventListener("online", send);
  setInterval(() => { if (read().some((one) => !one.refused)) send(); }, 15000);
  show();
  if (read().length) send();
})();
