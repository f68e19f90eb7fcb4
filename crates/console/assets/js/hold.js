// The big lever is held for a moment with a hand or a mouse, so that a slip does nothing. With the
// keyboard it is pulled at once; without this script it is a plain button.
(() => {
  "use strict";
  const HOLD_MS = 400;
  const IDLE = "hold it, or press Enter", HELD = "keep holding…", SENT = "REQUESTED…";
  let lever = null, timer = 0;

  const say = (button, text) => {
    const words = button.querySelector(".hold-words");
    if (words && words.textContent !== text) words.textContent = text;
  };
  const offer = (root) => {
    for (const button of root.querySelectorAll("button[data-hold]:not(.is-sent)")) say(button, IDLE);
  };
  const cancel = () => {
    if (!lever) return;
    clearTimeout(timer);
    lever.classList.remove("is-held");
    say(lever, IDLE);
    lever = null;
  };
  const leverAt = (event) => event.target instanceof Element ? event.target.closest("button[data-hold]") : null;

  document.addEventListener("pointerdown", (event) => {
    const button = leverAt(event);
    if (!button || event.button !== 0 || !event.isPrimary || button.classList.contains("is-sent")) return;
    cancel();
    lever = button;
    lever.classList.add("is-held");
    say(lever, HELD);
    timer = setTimeout(() => {
      const pulled = lever;
      cancel();
      pulled.form.requestSubmit(pulled);
    }, HOLD_MS);
  });
  for (const over of ["pointerup", "pointercancel"]) document.addEventListener(over, cancel);
  // Off the lever is off, also for a finger, whose events go on being the lever's.
  document.addEventListener("pointermove", (event) => {
    if (!lever) return;
    const box = lever.getBoundingClientRect();
    const isOn = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!isOn) cancel();
  });
  addEventListener("blur", cancel);
  document.addEventListener("visibilitychange", cancel);
  document.addEventListener("contextmenu", (event) => { if (leverAt(event)) event.preventDefault(); });
  // A click of a pointer is the end of a hold; one of a key, or of a program that reads aloud, is a pull.
  document.addEventListener("click", (event) => { if (leverAt(event) && event.detail > 0) event.preventDefault(); });
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("button[data-hold]");
    if (!button) return;
    if (button.classList.contains("is-sent")) return event.preventDefault();
    button.classList.add("is-sent");
    say(button, SENT);
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("button[data-hold].is-sent")) button.classList.remove("is-sent");
    offer(document);
  });
  document.addEventListener("lever:fresh", (event) => offer(event.target));
  offer(document);
})();
