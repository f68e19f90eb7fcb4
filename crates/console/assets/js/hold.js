// The big lever is held for a moment with a hand or a mouse, so that a slip does nothing. With the
// keyboard it is pulled at once; without this script it is a plain button.
(() => {
  "use strict";
  const HOLD_MS = 400, ANSWER_MS_MAX = 3000, TOLD_MS = 2500, OTHER_WAY_MS = 8000;
  const IDLE = "hold it, or press Enter", HELD = "keep holding…", SENT = "REQUESTED…";
  const SLIPPED = "let go too soon: hold it";
  const SILENT = "no answer yet: pull again";
  let lever = null, timer = 0;

  const say = (button, text) => {
    const words = button.querySelector(".hold-words");
    if (words && words.textContent !== text) words.textContent = text;
  };
  const offer = (root) => {
    for (const button of root.querySelectorAll("button[data-hold]:not(.is-sent, .is-held, .is-told)")) say(button, IDLE);
  };
  const told = (button, text, ms) => {
    say(button, text);
    button.classList.add("is-told");
    setTimeout(() => { button.classList.remove("is-told"); offer(document); }, ms);
  };
  const letGo = () => {
    if (!lever) return null;
    const held = lever;
    clearTimeout(timer);
    held.classList.remove("is-held");
    lever = null;
    return held;
  };
  const cancel = () => {
    const held = letGo();
    if (held) told(held, SLIPPED, TOLD_MS);
  };
  const leverAt = (event) => event.target instanceof Element ? event.target.closest("button[data-hold]") : null;

  document.addEventListener("pointerdown", (event) => {
    const button = leverAt(event);
    if (!button || event.button !== 0 || !event.isPrimary || button.classList.contains("is-sent")) return;
    letGo();
    lever = button;
    lever.classList.add("is-held");
    say(lever, HELD);
    timer = setTimeout(() => {
      const pulled = letGo();
      if (pulled) pulled.form.requestSubmit(pulled);
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
  // A click of a pointer is the end of a hold; one of a key is a pull. Who cannot hold, because what
  // reads aloud or dwells makes clicks only, gets a plain button beside it.
  document.addEventListener("click", (event) => {
    const button = leverAt(event);
    if (!button || event.detail === 0) return;
    event.preventDefault();
    if (!button.classList.contains("is-sent")) offerOtherWay(button);
  });
  const offerOtherWay = (button) => {
    const form = button.form;
    let other = form.querySelector(".other-way");
    if (!other) {
      other = document.createElement("button");
      other.className = "other-way stop";
      other.textContent = `${button.querySelector(".big")?.textContent ?? "Pull it"}, without holding`;
      button.parentElement.append(other);
    }
    clearTimeout(Number(other.dataset.timer));
    other.dataset.timer = setTimeout(() => other.remove(), OTHER_WAY_MS);
  };
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("button[data-hold]");
    if (!button) return;
    if (button.classList.contains("is-sent")) return event.preventDefault();
    button.classList.add("is-sent");
    say(button, SENT);
    // Stopped, or held up on the way: a lever that was pulled twice is as closed as one pulled once.
    setTimeout(() => {
      button.classList.remove("is-sent");
      told(button, SILENT, TOLD_MS);
    }, ANSWER_MS_MAX);
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("button[data-hold]")) button.classList.remove("is-sent", "is-told");
    offer(document);
  });
  document.addEventListener("lever:fresh", (event) => offer(event.target));
  offer(document);
})();
