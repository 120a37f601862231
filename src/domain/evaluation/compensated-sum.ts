/** A sum that keeps what rounding takes from it (Neumaier 1974): its error does not grow with the number of summands. */
export type CompensatedSum = { sum: number; lost: number };

export const zeroSum = (): CompensatedSum => ({ sum: 0, lost: 0 });

export const addTo = (total: CompensatedSum, value: number): void => {
  const sum = total.sum + value;
  total.lost += Math.abs(total.sum) >= Math.abs(value) ? total.sum - sum + value : value - sum + total.sum;
  total.sum = sum;
};

export const sumOf = ({ sum, lost }: CompensatedSum): number => sum + lost;
