// What happens on the demo's server beside its own rollout, in an environment that nobody follows and
// that is guarded as prod is: a rollout that nothing is heard of, one to pause, and a flag with traffic
// to start one of.

import { eventually } from './lever.js';

export const QUIET = 'prod-eu';
/** The flag whose rollout does not move, the one to pause, the one to start. */
export const STUCK = 'slow-cart';
export const PAUSABLE = 'fast-cart';
export const READY = 'search-v2';

/** How often outcomes are reported, in milliseconds, and how many each time. */
const BEAT_MS = 250;
const VISITORS = 20;

/** Stages that are passed by evidence only, of which there is none. */
const PLAN = {
  key: 'patient',
  stages: [{ percentage: 1, margin: 70 }, { percentage: 5, margin: 20 }, { percentage: 100 }],
  bake: '2s',
  max_hold: '2h',
  settle: '500ms',
  metrics: [{ key: 'errors' }],
  page: ['pager'],
};

export class Stage {
  #demo;
  #traffic;

  static async set(demo) {
    const stage = new Stage();
    stage.#demo = demo;
    const why = { reason: 'made for a test' };
    await demo.post('/environments', { key: QUIET, guarded: true, why });
    await demo.put('/plans/patient', { definition: PLAN, why });
    for (const flag of [STUCK, PAUSABLE, READY]) {
      await demo.flag(flag, { kind: 'release', sunset: '2027-03-31', runbook: 'Back to the old one' });
    }
    await stage.#report();
    stage.stuck = await stage.#start(STUCK);
    stage.pausable = await stage.#start(PAUSABLE);
    return stage;
  }

  async #start(flag) {
    const { revision } = await this.#demo.lever(flag, QUIET);
    const path = `/environments/${QUIET}/flags/${flag}/rollout`;
    const why = { reason: 'the new one, for everybody' };
    const { rollout } = await this.#demo.post(path, { plan: 'patient', why }, { seen: revision });
    return rollout;
  }

  /** Reports how visitors of the flag that is ready fare, until the stage is cleared. */
  async #report() {
    const token = await this.#demo.tokenOf('evaluator', { name: 'search', environments: [QUIET] });
    let sequence = 0;
    let visitor = 0;
    const report = () => {
      const outcomes = Array.from({ length: VISITORS }, () => ({
        flag: READY,
        context: { targetingKey: `v-${(visitor += 1)}` },
        outcome: visitor % 100 ? 'ok' : 'bad',
        duration_ms: 40 + (visitor % 50),
      }));
      const told = { instance: 'search-1', sequence: (sequence += 1), outcomes };
      return this.#demo.post(`/environments/${QUIET}/outcomes`, told, { token });
    };
    await report();
    this.#traffic = setInterval(() => report().catch(() => clearInterval(this.#traffic)), BEAT_MS);
  }

  /** Settles with the demo's own rollout once that was rolled back, and its page has gone out. */
  convicted() {
    const look = async () => {
      const { rollouts } = await this.#demo.get('/rollouts?environment=prod&flag=new-checkout');
      if (rollouts[0]?.state !== 'rolled-back') return undefined;
      const rollout = await this.#demo.get(`/rollouts/${rollouts[0].id}`);
      const isTold = rollout.told?.some(({ page, state }) => page && state === 'delivered');
      return isTold ? rollout : undefined;
    };
    return eventually('the conviction of the demo', look, { ms: 120_000 });
  }

  close() {
    clearInterval(this.#traffic);
  }
}
