// Proof of work on the wait page: a worker looks for the number, then the same form is sent again. Without it, one waits.
(() => {
  "use strict";
  const form = document.querySelector("form[data-work]");
  if (!form || !window.Worker || !window.crypto || !crypto.subtle) return;
  const told = form.querySelector("[data-work-told]");
  const shown = form.querySelector("[data-work-shown]");
  const otherwise = form.querySelector("[data-work-else]");
  const worker = new Worker(form.dataset.worker);
  worker.onmessage = ({ data }) => {
    if (data.answer === undefined) {
      shown.value = data.share;
      return;
    }
    form.elements.work.value = `${form.dataset.work}:${data.answer}`;
    form.submit();
  };
  worker.onerror = () => { told.hidden = shown.hidden = true; otherwise.hidden = false; };
  told.hidden = shown.hidden = false;
  otherwise.hidden = true;
  worker.postMessage({ challenge: form.dataset.work, bits: Number(form.dataset.bits) });
})();
