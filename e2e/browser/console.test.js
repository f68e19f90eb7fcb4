// The console in a real browser. One run shares one browser and two servers; every test has somebody
// of its own in front of a session of their own.

import { after, before, describe } from 'node:test';

import { Bench } from './bench.js';
import { ground } from './ground.js';
import { histories } from './histories.js';
import { inert } from './inert.js';
import { kills } from './kills.js';
import { levers } from './levers.js';
import { live } from './live.js';
import { looks } from './looks.js';
import { rollouts } from './rollouts.js';
import { signingIn } from './signing_in.js';
import { report } from './task.js';

/** Longest the whole run may take, in milliseconds; on two quiet cores it takes a third of that. */
const RUN_MS_MAX = 480_000;

describe('the console', { timeout: RUN_MS_MAX }, () => {
  const bench = new Bench();
  before(() => bench.open());
  after(async () => {
    for (const line of await report(bench.out)) console.log(line);
    await bench.close();
  });

  for (const suite of [ground, signingIn, kills, levers, histories, live, rollouts, looks, inert]) suite(bench);
});
