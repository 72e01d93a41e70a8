// Files are sent one by one with their progress, and only what failed is sent again. Without this script the form sends them all.
(() => {
  "use strict";
  for (const form of document.querySelectorAll("form[data-files]")) {
    const input = form.querySelector("input[type=file]");
    const list = form.querySelector("[data-files-told]");
    const said = form.dataset;
    const arrived = new Set();
    const name = (file) => `${file.name}/${file.size}/${file.lastModified}`;

    const line = (file) => {
      const item = document.createElement("li");
      const words = document.createElement("span");
      const bar = document.createElement("progress");
      bar.max = file.size || 1;
      bar.value = 0;
      bar.setAttribute("aria-label", file.name);
      item.append(`${file.name} `, bar, " ", words);
      list.append(item);
      return { bar, tell: (text) => { words.textContent = text; } };
    };
    const half = (text) => {
      const found = /^(.*?[。！？；）])\s+([A-Z"“].*)$/s.exec(text || "");
      return found ? found[said.lang === "en" ? 2 : 1] : text;
    };
    const send = (file, shown) => new Promise((done) => {
      const body = new FormData();
      for (const field of form.querySelectorAll("input[name]:not([type=file])")) body.append(field.name, field.value);
      body.append("file", file, "file");
      const request = new XMLHttpRequest();
      request.open("POST", said.files);
      request.responseType = "json";
      request.upload.onprogress = (event) => { shown.bar.value = event.loaded; };
      request.onload = () => {
        const good = request.status === 200 || request.status === 201;
        shown.bar.value = good ? shown.bar.max : 0;
        shown.tell(good ? said.saidDone : half(request.response && request.response.detail) || said.saidFailed);
        done(good);
      };
      request.onerror = () => { shown.tell(said.saidFailed); done(false); };
      request.send(body);
    });

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      if (button.disabled) return;
      button.disabled = true;
      form.setAttribute("aria-busy", "true");
      list.hidden = false;
      list.replaceChildren();
      let all = true;
      for (const file of [...input.files].slice(0, Number(said.most))) {
        const shown = line(file);
        if (arrived.has(name(file))) { shown.bar.value = shown.bar.max; shown.tell(said.saidDone); continue; }
        if (file.size > Number(said.largest)) { shown.tell(said.saidLarge); all = false; continue; }
        shown.tell(said.saidSending);
        if (await send(file, shown)) arrived.add(name(file)); else all = false;
      }
      form.removeAttribute("aria-busy");
      if (all && said.after) { location.assign(said.after); return; }
      button.disabled = false;
    });
  }
})();
