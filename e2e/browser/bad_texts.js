// Texts that must stay texts, in every place where a person or a program can write one. Each field is
// offered each of them; what the server refuses is refused, what it takes has to be inert on every page.

/** What an element or attribute would be called that such a text had made. */
export const MARK = 'injected';

const MARKUP =
  `"><img src=x ${MARK} onerror=alert(1)><script ${MARK}>alert(2)</script>` +
  `<svg ${MARK} onload=alert(3)></textarea></title><b ${MARK}>{{7*7}}</b>'`;

export const TEXTS = {
  markup: MARKUP,
  'right to left': '\u202Eevil\u202C \u2066isolated \u05D0\u05D1',
  joiners: 'a\u200Db \u{1F468}\u200D\u{1F469}\u200D\u{1F467} z\u200Bero',
  nul: 'nul\u0000byte',
  terminal: '\u001b[31mred\u001b[0m\u0007\u0008',
  long: `long ${'W'.repeat(10_000)}`,
  longest: `${MARKUP.slice(0, 60)}${'w'.repeat(68)}`,
};

/** What a runbook's markdown could do beyond that. */
const MARKDOWN = [
  MARKUP,
  `[press](javascript:alert(4)) ![seen](https://elsewhere.test/${MARK}.png)`,
  `<a href="javascript:alert(5)" ${MARK}>press</a> <iframe src="https://elsewhere.test" ${MARK}></iframe>`,
  `<style ${MARK}>body{display:none}</style><form action="https://elsewhere.test" ${MARK}><input></form>`,
  '- a list\n- `code`\n\n> and what markdown is for',
].join('\n\n');

/**
 * Writes them wherever one can, in prod of `lever`. Gives the flags that now have them, and per field
 * which texts were taken.
 */
export async function write(lever) {
  const taken = {};
  const offer = async (field, name, ask) => {
    try {
      await ask();
      (taken[field] ??= []).push(name);
    } catch (error) {
      if (!/: (400|413|422) /.test(error.message)) throw error;
    }
  };
  const flags = [];
  let number = 0;
  for (const [name, text] of Object.entries({ ...TEXTS, markdown: MARKDOWN })) {
    const key = `bad-${(number += 1)}`;
    await lever.flag(key);
    flags.push(key);
    const { definition } = await lever.get(`/flags/${key}`);
    for (const [field, change] of [
      ['description', { description: text }],
      ['runbook', { runbook: text }],
      ['owner', { owner: text }],
      ['tags', { tags: [text] }],
      ['closing', { closing: `unsafe after 25% — ${text}` }],
      ['variants', { variants: { ...definition.variants, [text]: true } }],
      ['unit', { unit: text }],
    ]) {
      await offer(field, name, async () => {
        const { defined_revision: revision } = await lever.get(`/flags/${key}`);
        const wanted = { ...definition, ...change };
        await lever.put(`/flags/${key}`, { definition: wanted }, { seen: revision });
        Object.assign(definition, change);
      });
    }
    await offer('values', name, () =>
      lever.flag(`${key}-text`, {
        type: 'string',
        variants: { plain: 'plain', bad: text },
        closed: 'plain',
        open: 'bad',
      }),
    );
    const segment = { key: `${key}-segment`, when: `plan == ${JSON.stringify(text)}`, include: [text] };
    await offer('segments', name, () => lever.post('/segments', { definition: segment }));
    await offer('tokens', name, () => lever.tokenOf('viewer', { name: text }));
    await offer('reasons', name, () => lever.open(key, 50, 'prod', text));
    await offer('incidents', name, () => lever.kill(key, { reason: text, incident: text }));
  }
  return { flags, taken };
}
