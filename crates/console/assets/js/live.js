// Keeps the page live: one stream of notices a tab. A notice carries no content; the page fetches its
// own address again and takes the regions that are marked data-live from the answer.
(() => {
  "use strict";
  const sign = document.getElementById("live");
  if (!sign || !sign.dataset.stream) return;
  const state = sign.querySelector(".state");
  const pulse = sign.querySelector(".pulse");
  const BEAT_MS = 2000, STALE_MS = 6000, APART_MS = 400, SPREAD_MS = 150, FETCH_MS_MAX = 10000;
  const FAILURES_MAX = 3, POLLS_BEFORE_A_STREAM = 15, HELD_MS_MAX = 30000;

  let since = Number(sign.dataset.since);
  // When the server was heard last, and since when the page lacks what it was told of.
  let heard = Date.now(), behind = null, notices = 0;
  let stream = null, opened = 0, failures = 0;
  // Counts the rounds of asking; one that is not the last has been given up.
  let asking = 0, isPolling = false, mark = null;
  let isWanted = false, isFetching = false, fetched = 0, timer = null;

  const address = (path) => {
    const url = new URL(sign.dataset.stream, location.href);
    url.pathname += path;
    url.searchParams.set("since", since);
    return url;
  };

  // ---- what the header says ----
  const tell = () => {
    const now = Date.now();
    const silent = Math.max(now - heard, behind === null ? 0 : now - behind);
    const isStale = silent > STALE_MS;
    sign.classList.toggle("is-live", !isStale);
    sign.classList.toggle("is-stale", isStale);
    pulse.textContent = isStale ? "!" : "●";
    const text = isStale
      ? `stale ${Math.floor(silent / 1000)} s, reconnecting`
      : `${isPolling ? "polling" : "live"} · ${(silent / 1000).toFixed(1)} s`;
    if (state.textContent !== text) state.textContent = text;
  };

  // ---- taking the new regions; false where one is in use and has to wait ----
  const take = (page) => {
    let isWhole = true;
    for (const region of document.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${CSS.escape(region.dataset.live)}"]`);
      if (!fresh) continue;
      if (!window.lever.morph(region, fresh)) isWhole = false;
      window.lever.refreshTimes(region);
      region.dispatchEvent(new CustomEvent("lever:fresh", { bubbles: true }));
    }
    return isWhole;
  };
  const fetchPage = async () => {
    isFetching = true;
    isWanted = false;
    fetched = Date.now();
    const began = fetched, known = notices;
    try {
      const answer = await fetch(location.href, {
        headers: { accept: "text/html" }, redirect: "manual", signal: AbortSignal.timeout(FETCH_MS_MAX),
      });
      if (answer.type === "opaqueredirect") return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const isWhole = take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      behind = notices === known ? null : began;
      if (!isWhole) {
        isWanted = true;
        fetched = Date.now() + BEAT_MS;
      }
    } catch {
      // The sign says that the page is behind, and it is tried again.
      isWanted = true;
      fetched = Date.now() + BEAT_MS;
    }
    isFetching = false;
    if (isWanted) soon();
  };
  const soon = () => {
    isWanted = true;
    if (isFetching || timer !== null) return;
    const wait = Math.max(0, APART_MS - (Date.now() - fetched)) + Math.random() * SPREAD_MS;
    timer = setTimeout(() => {
      timer = null;
      if (isWanted && !document.hidden) fetchPage();
    }, wait);
  };
  const lack = () => {
    notices += 1;
    behind ??= Date.now();
    soon();
  };

  // ---- hearing that there is something new ----
  const hear = (event) => {
    heard = Date.now();
    failures = 0;
    stopAsking();
    const revision = Number(event.lastEventId);
    if (revision) since = revision;
    if (event.type !== "beat") lack();
    tell();
  };
  const open = () => {
    if (stream || document.hidden) return;
    opened = Date.now();
    const mine = stream = new EventSource(address(""));
    for (const kind of ["beat", "change", "fleet", "tick"]) mine.addEventListener(kind, hear);
    mine.onerror = () => {
      failures += 1;
      if (mine.readyState === EventSource.CLOSED && stream === mine) stream = null;
      if (failures >= FAILURES_MAX) {
        closeStream();
        ask();
      }
    };
  };
  const closeStream = () => {
    if (stream) stream.close();
    stream = null;
  };
  const stopAsking = () => {
    asking += 1;
    isPolling = false;
  };
  // Where something between here and there holds streams back: ask, and try a stream now and then.
  const ask = async () => {
    if (isPolling) return;
    isPolling = true;
    const round = asking += 1;
    for (let asked = 1; round === asking && !document.hidden; asked += 1) {
      try {
        const answer = await fetch(address("/poll"), { signal: AbortSignal.timeout(FETCH_MS_MAX) });
        if (answer.status === 401) return location.reload();
        if (answer.ok && round === asking) {
          const seen = await answer.json();
          heard = Date.now();
          if (seen.revision !== since || seen.mark !== mark) lack();
          since = seen.revision;
          mark = seen.mark;
        }
      } catch { /* the sign says that it is stale */ }
      if (asked % POLLS_BEFORE_A_STREAM === 0) open();
      await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    }
    if (round === asking) isPolling = false;
  };

  const wake = () => {
    lack();
    if (failures >= FAILURES_MAX) ask();
    else open();
  };
  const sleep = () => {
    closeStream();
    stopAsking();
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? sleep() : wake()));
  addEventListener("pagehide", sleep);
  addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
  open();
  tell();
  setInterval(() => {
    if (document.hidden) return;
    tell();
    const now = Date.now();
    // A stream that is open and says nothing is held back by somebody, or the server hangs: ask beside
    // it, until it speaks. One that was held for long is given up, and another one tried later.
    if (stream && !isPolling && now - Math.max(opened, heard) > STALE_MS) ask();
    if (stream && isPolling && now - opened > HELD_MS_MAX) closeStream();
    if (!stream && !isPolling && now - opened > BEAT_MS) open();
  }, 200);
})();
