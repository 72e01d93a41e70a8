// What pages do with a script: nothing is lost without it. No inline handlers, so that the content policy stays strict.
(() => {
  "use strict";
  const each = (selector, work, root = document) => root.querySelectorAll(selector).forEach(work);

  function prepare(root) {
    each("[data-back]", (button) => {
      if (history.length < 2) return;
      button.hidden = false;
      button.addEventListener("click", () => history.back());
    }, root);
    each("[data-copy]", (button) => {
      if (!navigator.clipboard) return;
      button.hidden = false;
      const words = button.querySelector("[data-copy-words]") || button;
      const usual = words.textContent;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.replace(/\s/g, ""));
        words.textContent = button.dataset.copied;
        setTimeout(() => { words.textContent = usual; }, 3000);
      });
    }, root);
    each("[data-print]", (button) => {
      button.hidden = false;
      button.addEventListener("click", () => print());
    }, root);
    each("form[data-autosubmit]", (form) => {
      each("[data-autosubmit-button]", (button) => { button.hidden = true; }, form);
      form.addEventListener("change", () => form.requestSubmit());
    }, root);
    each("[data-count]", (field) => {
      const shown = document.getElementById(field.dataset.count);
      const tell = () => { shown.textContent = `${field.value.length} / ${field.maxLength}`; };
      field.addEventListener("input", tell);
      tell();
    }, root);
    each("[data-digits]", (field) => {
      // digits in groups of four, as the receipt is printed; full-width digits are taken too
      field.addEventListener("input", () => {
        const digits = field.value.normalize("NFKC").replace(/\D/g, "").slice(0, 16);
        field.value = digits.replace(/(\d{4})(?=\d)/g, "$1 ");
      });
    }, root);
  }

  // a phone without a network would answer a post with its own page: ask first whether we can be reached, and stay if not
  async function reach(form, event) {
    event.preventDefault();
    const note = form.querySelector("[data-offline-note]");
    try {
      if (!navigator.onLine) throw new TypeError("offline");
      const answer = await fetch(form.dataset.steady, { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw new TypeError("not alive");
    } catch {
      note.hidden = false;
      note.scrollIntoView({ block: "center" });
      return;
    }
    note.hidden = true;
    form.dataset.reached = "1";
    form.requestSubmit(event.submitter);
  }

  // a form is sent once; its idempotency key makes a second send harmless, this spares the wait
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
    if (form.dataset.steady && !form.dataset.reached) return reach(form, event);
    delete form.dataset.reached;
    if (!form.hasAttribute("data-once")) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) each("form[data-sent]", (form) => { delete form.dataset.sent; form.removeAttribute("aria-busy"); });
  });

  // lists: j and k move, Enter opens, / goes to the search field, ? shows the keys
  const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const list = rows();
    const at = list.indexOf(document.activeElement.closest("[data-row]"));
    if (event.key === "j" || event.key === "k") {
      const next = list[Math.max(0, Math.min(list.length - 1, event.key === "j" ? at + 1 : at - 1))];
      if (next) { next.querySelector("a").focus(); next.scrollIntoView({ block: "nearest" }); event.preventDefault(); }
    } else if (event.key === "/") {
      const field = document.querySelector("[data-search]");
      if (field) { field.focus(); event.preventDefault(); }
    } else if (/^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`)) {
      // a key of its own: a button or link is pressed, a field is gone to, what is folded opens first
      const wanted = document.querySelector(`[data-key="${event.key}"]`);
      const folded = wanted.matches("summary") ? null : wanted.closest("details:not([open])");
      if (folded) folded.open = true;
      if (wanted.matches("a, button, summary")) wanted.click(); else wanted.focus();
      event.preventDefault();
    } else if (event.key === "?") {
      const help = document.getElementById("keys");
      if (help) { help.open = !help.open; event.preventDefault(); }
    }
  });

  // taking down a report by keyboard: Ctrl + Enter sends from any field
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest("form[data-quick]");
    if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });

  // one open menu at a time, closed by Escape or a click elsewhere
  document.addEventListener("click", (event) => {
    each("details.dc-menu[open]", (menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") each("details.dc-menu[open]", (menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // on a phone the bars are wider than the screen: show where we are
  each(".dc-nav [aria-current], .dc-tabs [aria-current]", (current) => {
    const bar = current.closest("ul");
    bar.scrollLeft += current.getBoundingClientRect().left - bar.getBoundingClientRect().left - 60;
  });

  prepare(document);
  document.addEventListener("htmx:after:swap", (event) => prepare(event.target));
})();
