// Keeps the page live: one stream of notices a tab. A notice carries no content; the page fetches its
// own address again and takes the regions that are marked data-live from the answer.
(() => {
  "use strict";
  const sign = document.getElementById("live");
  if (!sign || !sign.dataset.stream) return;
  const state = sign.querySelector(".state");
  const pulse = sign.querySelector(".pulse");
  const BEAT_MS = 2000, STALE_MS = 6000, APART_MS = 400, SPREAD_MS = 150, FAILURES_MAX = 3;

  let since = Number(sign.dataset.since);
  let heard = Date.now(), stream = null, failures = 0, polling = null;
  let wanted = false, fetching = false, fetched = 0;

  const address = (path) => {
    const url = new URL(sign.dataset.stream, location.href);
    url.pathname += path;
    url.searchParams.set("since", since);
    return url;
  };

  // ---- what the header says ----
  const tell = () => {
    const silent = Date.now() - heard;
    const isStale = silent > STALE_MS;
    const how = polling ? "polling" : "live";
    sign.classList.toggle("is-live", !isStale);
    sign.classList.toggle("is-stale", isStale);
    pulse.textContent = isStale ? "!" : "●";
    const text = isStale
      ? `stale ${Math.floor(silent / 1000)} s, reconnecting`
      : `${how} · ${(silent / 1000).toFixed(1)} s`;
    if (state.textContent !== text) state.textContent = text;
  };

  // ---- taking the new regions ----
  const isBusy = (region) => {
    const at = document.activeElement;
    if (region.contains(at) && at.matches("input, textarea, select")) return true;
    return [...region.querySelectorAll("input:not([type=hidden]), textarea, select")].some((field) =>
      field.type === "checkbox" || field.type === "radio"
        ? field.checked !== field.defaultChecked
        : field.tagName === "SELECT"
          ? [...field.options].some((option) => option.selected !== option.defaultSelected)
          : field.value !== field.defaultValue);
  };
  const take = (page) => {
    for (const region of document.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${CSS.escape(region.dataset.live)}"]`);
      if (!fresh || isBusy(region) || region.dataset.held !== undefined) continue;
      if (region.dataset.source === fresh.innerHTML) continue;
      const at = region.contains(document.activeElement) ? document.activeElement.id : "";
      const open = new Set([...region.querySelectorAll("details[open][id]")].map((one) => one.id));
      const source = fresh.innerHTML;
      region.replaceChildren(...document.importNode(fresh, true).childNodes);
      region.dataset.source = source;
      for (const one of region.querySelectorAll("details[id]")) if (open.has(one.id)) one.open = true;
      if (at) document.getElementById(at)?.focus({ preventScroll: true });
      window.lever.refreshTimes(region);
      region.dispatchEvent(new CustomEvent("lever:fresh", { bubbles: true }));
    }
  };
  const fetchPage = async () => {
    fetching = true;
    wanted = false;
    fetched = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") return location.reload();
      if (answer.ok) {
        take(new DOMParser().parseFromString(await answer.text(), "text/html"));
        heard = Date.now();
      }
    } catch { /* the sign says that it is stale */ }
    fetching = false;
    if (wanted) soon();
  };
  const soon = () => {
    wanted = true;
    if (fetching || soon.timer) return;
    const wait = Math.max(0, APART_MS - (Date.now() - fetched)) + Math.random() * SPREAD_MS;
    soon.timer = setTimeout(() => { soon.timer = null; if (wanted && !document.hidden) fetchPage(); }, wait);
  };

  // ---- hearing that there is something new ----
  const hear = (event) => {
    heard = Date.now();
    failures = 0;
    const revision = Number(event.lastEventId);
    if (revision) since = revision;
    if (event.type !== "beat") soon();
    tell();
  };
  const open = () => {
    if (stream || polling || document.hidden) return;
    stream = new EventSource(address(""));
    for (const kind of ["beat", "change", "fleet", "tick"]) stream.addEventListener(kind, hear);
    stream.onerror = () => {
      failures += 1;
      if (stream && stream.readyState === EventSource.CLOSED) { stream.close(); stream = null; }
      if (failures >= FAILURES_MAX) poll();
    };
  };
  const close = () => {
    if (stream) stream.close();
    stream = null;
    if (polling) clearTimeout(polling);
    polling = null;
  };
  // Where something between here and there holds streams back: ask.
  const poll = () => {
    close();
    const ask = async () => {
      try {
        const answer = await fetch(address("/poll"));
        if (answer.status === 401) return location.reload();
        if (answer.ok) {
          const seen = await answer.json();
          heard = Date.now();
          if (seen.revision !== since || seen.mark !== poll.mark) soon();
          since = seen.revision;
          poll.mark = seen.mark;
        }
      } catch { /* the sign says that it is stale */ }
      if (polling !== null && !document.hidden) polling = setTimeout(ask, BEAT_MS);
    };
    polling = 0;
    ask();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    soon();
    failures >= FAILURES_MAX ? poll() : open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) { soon(); open(); } });
  open();
  tell();
  setInterval(() => {
    if (document.hidden) return;
    tell();
    const silent = Date.now() - heard;
    // A stream that is open and says nothing is one that somebody holds back.
    if (!polling && polling !== 0 && silent > STALE_MS * 2 && stream) {
      close();
      failures += 1;
      failures >= FAILURES_MAX ? poll() : open();
    } else if (!stream && polling === null && silent > BEAT_MS) open();
  }, 200);
})();
