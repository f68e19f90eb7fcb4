// Makes a part of the page equal to a newer one in place: what is there stays there, and keeps the focus,
// the place it is scrolled to, and the ear of who is read to.
(() => {
  "use strict";
  // What scripts and people set, and the server knows nothing of.
  const OURS = new Set(["data-local", "open"]);

  const isChanged = (field) =>
    field.type === "checkbox" || field.type === "radio"
      ? field.checked !== field.defaultChecked
      : field.tagName === "SELECT"
        ? [...field.options].some((option) => option.selected !== option.defaultSelected)
        : field.value !== field.defaultValue;
  const FIELDS = "input:not([type=hidden]), textarea, select";
  // Somebody fills it in: left alone as a whole, with the revision that it was filled in for.
  const isFilledIn = (form) =>
    (form.contains(document.activeElement) && document.activeElement.matches(FIELDS)) ||
    [...form.querySelectorAll(FIELDS)].some(isChanged);

  const same = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName &&
    (one.nodeType !== Node.ELEMENT_NODE || (one.id === other.id && one.type === other.type));

  const attributes = (old, fresh) => {
    for (const { name, value } of fresh.attributes)
      if (old.getAttribute(name) !== value && !(OURS.has(name) && old.hasAttribute(name))) old.setAttribute(name, value);
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !OURS.has(name)) old.removeAttribute(name);
  };

  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (old.tagName === "FORM" && isFilledIn(old)) return;
    // Local time was added to its title.
    if (old.tagName === "TIME" && old.dateTime === fresh.dateTime) return;
    // The words on a lever are its own script's.
    if (old.matches("button[data-hold]") && old.querySelector(".big")?.textContent === fresh.querySelector(".big")?.textContent) return;
    attributes(old, fresh);
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((node, place) => {
      const was = before[place];
      if (was && same(was, node)) morph(was, node);
      else if (was) was.replaceWith(document.importNode(node, true));
      else old.append(document.importNode(node, true));
    });
    for (const rest of before.slice(after.length)) rest.remove();
  };

  let isPressed = false;
  for (const [name, is] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]])
    document.addEventListener(name, () => { isPressed = is; }, { capture: true, passive: true });

  // A row that somebody is about to choose stays under the hand.
  const isInUse = (region) => {
    if (isPressed && region.matches(":hover")) return true;
    const at = document.activeElement;
    return region.contains(at) && at.matches("a:focus-visible, button:focus-visible") && at.closest("table, ul, ol") !== null;
  };

  window.lever.morph = (region, fresh) => {
    if (isInUse(region)) return false;
    morph(region, fresh);
    return true;
  };
})();
