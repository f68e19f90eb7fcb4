// Adds local time to the UTC that the server wrote, and keeps ages true.
(() => {
  "use strict";
  const skew = (() => {
    const made = document.querySelector("footer.bottom time");
    return made ? Date.parse(made.dateTime) - Date.now() : 0;
  })();
  const about = (ms) =>
    ms < 1000 ? "0 s"
      : ms < 120000 ? `${Math.floor(ms / 1000)} s`
        : ms < 7200000 ? `${Math.floor(ms / 60000)} min`
          : ms < 172800000 ? `${Math.floor(ms / 3600000)} h`
            : `${Math.floor(ms / 86400000)} d`;
  const age = (ms) => (ms < -1000 ? `in ${about(-ms)}` : ms < 1000 ? "now" : `${about(ms)} ago`);
  const here = new Intl.DateTimeFormat(undefined, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short", hour12: false,
  });
  const refresh = (root) => {
    const now = Date.now() + skew;
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = Date.parse(time.dateTime);
      if (Number.isNaN(at)) continue;
      if (!time.dataset.local) {
        time.dataset.local = here.format(at);
        time.title = `${time.title} · ${time.dataset.local}`;
      }
      const words = time.nextElementSibling;
      if (words && words.classList.contains("age")) {
        const text = age(now - at);
        if (words.textContent !== text) words.textContent = text;
      }
    }
  };
  window.lever = { refreshTimes: refresh };
  refresh(document);
  setInterval(() => document.hidden || refresh(document), 5000);
})();
