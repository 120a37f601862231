import type { Config } from './schema.ts';

type Named = { readonly arms: readonly Pick<Config['arms'][number], 'id' | 'enabled'>[]; readonly policy: Config['policy'] };

/** What is no mistake, but hardly meant: a sentence each. */
export const policyWarnings = ({ arms, policy }: Named): readonly string[] => {
  const disabled = (arm: string): boolean => arms.some(({ id, enabled }) => id === arm && !enabled);
  switch (policy.kind) {
    case 'static': {
      const named = Object.entries(policy.shares).filter(([, share]) => share > 0);
      const out = named.filter(([arm]) => disabled(arm)).map(([arm]) => arm);
      if (out.length === 0) return [];
      return out.length === named.length
        ? [
            `policy.shares: all of it goes to arms that are disabled (${out.join(', ')}); every request for "auto" will be refused (no_candidate)`,
          ]
        : [
            `policy.shares: ${out.join(', ')} ${out.length === 1 ? 'is' : 'are'} disabled; that share falls to the other named arms in proportion`,
          ];
    }
    case 'complexity': {
      const named = [...new Set([policy.simple, policy.complex])];
      const out = named.filter(disabled);
      if (out.length === 0) return [];
      return [
        `policy: ${out.join(' and ')} ${out.length === 1 ? 'is' : 'are'} disabled; ${out.length === named.length ? 'the other arms share all requests equally' : 'the other of the two takes all requests'}`,
      ];
    }
    case 'beta-bernoulli-thompson':
    case 'contextual-thompson':
    case 'epsilon-greedy':
      return [];
  }
};
