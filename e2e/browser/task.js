// A task of an operator, with what it takes. What counts as one action: a click (a link followed is
// one, so is a lever held), a field filled or chosen from, a key pressed that does something. Moving
// about with Tab, arrows or the wheel does nothing, and is counted apart. The clock starts when the
// first page of the console has loaded (or, for who comes by a link on somebody else's page, when that
// is clicked) and stops when the page shows what the task is about.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MOVING = new Set(['Tab', 'Shift+Tab', 'ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight']);

/** The hand of whoever does the task: everything it does is counted. */
class Hand {
  actions = 0;
  moves = 0;
  log = [];

  constructor(page) {
    this.page = page;
  }

  #acts(what) {
    this.actions += 1;
    this.log.push(what);
  }

  async click(what) {
    this.#acts(`click ${what}`);
    await what.click();
  }

  async fill(what, text) {
    this.#acts(`fill ${what}`);
    await what.fill(text);
  }

  async choose(what, value) {
    this.#acts(`choose ${what}`);
    await what.selectOption(value);
  }

  async check(what) {
    this.#acts(`check ${what}`);
    await what.check();
  }

  /** Types into what has the focus. */
  async type(text) {
    this.#acts(`type ${text}`);
    await this.page.keyboard.type(text);
  }

  async press(key) {
    if (MOVING.has(key)) this.moves += 1;
    else this.#acts(`press ${key}`);
    await this.page.keyboard.press(key);
  }

  /** Presses the mouse on something until `isEnough` settles, and lets go. */
  async hold(what, isEnough) {
    this.#acts(`hold ${what}`);
    await what.scrollIntoViewIfNeeded();
    const box = await what.boundingBox();
    await this.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await this.page.mouse.down();
    await isEnough();
    await this.page.mouse.up();
  }

  /** Moves with Tab to what is meant, as a person without a mouse does. */
  async tabTo(what, { most = 60 } = {}) {
    const isThere = () => what.evaluate((element) => element === document.activeElement);
    for (let times = 0; times < most; times += 1) {
      if (await isThere()) return;
      await this.press('Tab');
    }
    assert.ok(await isThere(), `${what} was not reached with ${most} times Tab`);
  }
}

const done = [];

/**
 * Does a task on a page that is open, and holds it against its targets: actions and seconds.
 * `play(hand, clock)` may call `clock.start()` to begin later than at once.
 */
export async function task(name, { actions, seconds }, page, play) {
  const hand = new Hand(page);
  let from = performance.now();
  await play(hand, { start: () => (from = performance.now()) });
  const took = (performance.now() - from) / 1000;
  const row = {
    task: name,
    actions: hand.actions,
    actions_max: actions,
    seconds: Number(took.toFixed(2)),
    seconds_max: seconds,
    moves: hand.moves,
    log: hand.log,
  };
  done.push(row);
  const told = hand.log.join('; ');
  assert.ok(hand.actions <= actions, `${name}: ${hand.actions} actions of ${actions}: ${told}`);
  assert.ok(took <= seconds, `${name}: ${took.toFixed(1)} s of ${seconds} s`);
}

/** Keeps a figure that is no task: something measured, with its goal. */
export function figure(name, value, most, unit) {
  done.push({ figure: name, value: Number(value.toFixed(1)), most, unit });
  assert.ok(value <= most, `${name}: ${value} ${unit} of ${most} ${unit}`);
}

/** Writes what the tasks took: `tasks.json` for programs, and a table for people. */
export async function report(folder) {
  const tasks = done.filter((row) => row.task);
  const width = Math.max(4, ...done.map((row) => (row.task ?? row.figure).length));
  const lines = [`${'task'.padEnd(width)}  actions  seconds`];
  for (const row of tasks) {
    const of = (value, most) => `${value}/${most}`;
    lines.push(
      `${row.task.padEnd(width)}  ${of(row.actions, row.actions_max).padStart(7)}  ${of(row.seconds.toFixed(1), row.seconds_max).padStart(7)}`,
    );
  }
  for (const row of done.filter((row) => row.figure)) {
    lines.push(`${row.figure.padEnd(width)}  ${row.value} ${row.unit} (at most ${row.most})`);
  }
  await writeFile(join(folder, 'tasks.json'), `${JSON.stringify(done, null, 2)}\n`);
  await writeFile(join(folder, 'tasks.txt'), `${lines.join('\n')}\n`);
  return lines;
}
