// Every page of the console, as a person could come to it: a name for its pictures, and its address.

/** Those that show what is there on any server: `flag`, `segment`, `plan`, `rollout`, `revision`. */
export function places({ flag, segment, plan = 'safe', rollout, revision, environment = 'prod' }) {
  const at = (path, query = {}) => {
    const search = new URLSearchParams({ env: environment, ...query });
    return `${path}?${search}`;
  };
  return [
    ['now', at('/now')],
    ['kill', at('/kill')],
    ['kill-flag', at(`/kill/${flag}`, { inc: 'INC-412' })],
    ['flags', at('/flags')],
    ['flags-none', at('/flags', { q: 'nothing is called so' })],
    ['flag-new', at('/flags/new')],
    ['flag', at(`/flags/${flag}`)],
    ['flag-edit', at(`/flags/${flag}/edit`)],
    ['flag-rules', at(`/flags/${flag}/rules`)],
    ['segments', at('/segments')],
    ['segment-new', at('/segments/new')],
    segment && ['segment', at(`/segments/${segment}`)],
    ['rollouts', at('/rollouts')],
    ['rollout-new', at('/rollouts/new', { flag })],
    rollout && ['rollout', at(`/rollouts/${rollout}`)],
    ['plans', at('/plans')],
    ['plan', at(`/plans/${plan}`)],
    ['audit', at('/audit')],
    ['record', at(`/audit/${revision}`)],
    ['fleet', at('/fleet')],
    ['settings', at('/settings')],
    ['settings-environments', at('/settings/environments')],
    ['settings-tokens', at('/settings/tokens')],
    ['settings-outside', at('/settings/outside')],
    ['settings-signing-in', at('/settings/signing-in')],
  ].filter(Boolean);
}
