// What all tests of a run share: one browser, one empty server with a few evaluators, the demo, which
// convicts a bad release meanwhile, and the directory that the run leaves its files in.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { launch, Person } from './browser.js';
import { Evaluators } from './evaluators.js';
import { Lever } from './lever.js';
import { Stage } from './stage.js';

const OUT = process.env.LEVER_BROWSER_OUT ?? new URL('../../target/browser', import.meta.url).pathname;
/** How many evaluators follow prod of the empty server all the time. */
export const EVALUATORS = 3;

export class Bench {
  out = OUT;
  #opened = [];

  async open() {
    try {
      await rm(OUT, { recursive: true, force: true });
      await mkdir(join(OUT, 'pages'), { recursive: true });
      [this.demo, this.lever, this.browser] = await Promise.all([
        this.#keep(Lever.dev()),
        this.#keep(Lever.serve()),
        this.#keep(launch()),
      ]);
      this.evaluators = await this.#keep(Evaluators.of(this.lever));
      this.stage = await this.#keep(Stage.set(this.demo));
      await this.evaluators.crowd(EVALUATORS);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #keep(opening) {
    const opened = await opening;
    this.#opened.push(opened);
    return opened;
  }

  /** Somebody signed in to the server as admin; `at` is another way to it, such as a proxy. */
  person(options) {
    return Person.sit(this.browser, this.lever, { token: this.lever.token, ...options });
  }

  /** Somebody signed in to the demo. */
  visitor(options) {
    return Person.sit(this.browser, this.demo, { token: this.demo.token, ...options });
  }

  async close() {
    for (const opened of this.#opened.reverse()) await opened.close();
    this.#opened = [];
  }
}
