import { describe, expect, it } from 'vitest';
import { admit, leave, openAdmission, type AdmissionLimits } from '../../../src/domain/shadow/admission.ts';

const open = (limits: AdmissionLimits) => {
  const admission = openAdmission(limits, 0);
  return {
    at: (ms: number) => admit(admission, limits, ms),
    leave: () => {
      leave(admission);
    },
  };
};

describe('admission', () => {
  it('so many at a time', () => {
    const gate = open({ concurrency: 2, perSecond: 100 });
    expect([gate.at(0), gate.at(0), gate.at(0)]).toEqual(['admitted', 'admitted', 'concurrency']);
    gate.leave();
    expect([gate.at(0), gate.at(0)]).toEqual(['admitted', 'concurrency']);
  });

  it('so many a second on average, one second at once', () => {
    const gate = open({ concurrency: 1_000, perSecond: 5 });
    const admittedIn = (from: number, to: number) => {
      let admitted = 0;
      for (let ms = from; ms < to; ms += 10) if (gate.at(ms) === 'admitted') admitted++;
      return admitted;
    };
    expect(admittedIn(0, 1_000)).toBeGreaterThanOrEqual(9);
    expect(admittedIn(1_000, 11_000)).toBe(50);
    // A pause is not made up for beyond one second.
    expect(admittedIn(100_000, 100_010)).toBe(1);
    const burst = Array.from({ length: 20 }, () => gate.at(200_000));
    expect(burst.filter((reply) => reply === 'admitted')).toHaveLength(5);
    expect(burst.at(-1)).toBe('rate');
  });

  it('less than one a second', () => {
    const gate = open({ concurrency: 10, perSecond: 0.5 });
    expect([gate.at(0), gate.at(1_000), gate.at(2_100), gate.at(2_200)]).toEqual(['admitted', 'rate', 'admitted', 'rate']);
  });

  it('a clock that is set back fills nothing', () => {
    const gate = open({ concurrency: 10, perSecond: 1 });
    expect([gate.at(10_000), gate.at(0), gate.at(500)]).toEqual(['admitted', 'rate', 'rate']);
  });
});
