// Real evaluators: the examples of the published client. `follow` is one process that asks one flag,
// `crowd` is many in one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { BINARY } from './lever.js';

export class Evaluators {
  #children = [];
  #lever;
  #token;

  static async of(lever) {
    const evaluators = new Evaluators();
    evaluators.#lever = lever;
    evaluators.#token = await lever.tokenOf('evaluator', { name: 'shop evaluators' });
    return evaluators;
  }

  /** Starts `count` in one process, and settles when all of them follow. */
  async crowd(count) {
    const { lines } = this.#start('crowd', [String(count)], {});
    await heard(lines, (line) => line === `ready ${count}`);
  }

  /** Starts one, and settles when it has its first snapshot. */
  async one(flag, { application, build }) {
    const settings = { LEVER_APPLICATION: application, LEVER_BUILD: build };
    const { child, lines } = this.#start('follow', [flag], settings);
    const one = new Evaluator(child);
    lines.on('line', (line) => one.answers.push(line));
    await heard(lines, (line) => line.includes(` ${flag} `));
    return one;
  }

  #start(example, words, settings) {
    const program = join(dirname(BINARY), 'examples', example);
    const env = {
      PATH: process.env.PATH,
      LEVER_URL: this.#lever.url,
      LEVER_TOKEN: this.#token,
      ...settings,
    };
    const child = spawn(program, words, { env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#children.push(child);
    return { child, lines: createInterface({ input: child.stdout }) };
  }

  async close() {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode) return;
        const ended = once(child, 'exit');
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        await ended;
      }),
    );
  }
}

/** One process. */
class Evaluator {
  #child;
  /** What it printed: `r8 new-checkout false`. */
  answers = [];

  constructor(child) {
    this.#child = child;
  }

  /** Stops it where it stands: connected, and deaf. */
  pause = () => this.#child.kill('SIGSTOP');
  resume = () => this.#child.kill('SIGCONT');

  /** Ends it with a goodbye, after which it no longer counts. */
  async leave() {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGINT');
    await ended;
  }
}

/** Settles with the first line that is meant. */
function heard(lines, isMeant) {
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => isMeant(line) && resolve(line));
    lines.once('close', () => reject(new Error('the evaluators ended before they were ready')));
  });
}
