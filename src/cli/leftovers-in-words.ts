import type { Leftovers } from '../replay/interchange/leftovers.ts';
import { grouped } from './numbers.ts';

const mostShown = 5;

/** What an import leaves out, a sentence for each kind. */
export const leftoversInWords = ({ columnsNotRead, positionsNotSeen, itemsNotSeen, itemsNotNamed }: Leftovers): readonly string[] => {
  const { count, first } = columnsNotRead;
  const columns = `${first.slice(0, mostShown).join(', ')}${count > mostShown ? `, and ${grouped(count - mostShown)} more` : ''}`;
  const positions = `${positionsNotSeen.slice(0, mostShown).join(', ')}${positionsNotSeen.length > mostShown ? ', ...' : ''}`;
  return [
    ...(count > 0 ? [`not read: ${count === 1 ? 'the column' : 'the columns'} ${columns}`] : []),
    ...(positionsNotSeen.length > 0 ? [`not used: what the action distribution says of position ${positions}, which no row has`] : []),
    ...(itemsNotSeen !== null && itemsNotSeen > 0
      ? [
          `${grouped(itemsNotSeen)} ${itemsNotSeen === 1 ? 'item of --item-context is' : 'items of --item-context are'} in no row: candidates may choose among all, and the log says nothing of these`,
        ]
      : []),
    ...(itemsNotNamed !== null && itemsNotNamed > 0
      ? [
          `${grouped(itemsNotNamed)} ${itemsNotNamed === 1 ? 'item has' : 'items have'} no name in --item-context, and the number in its place`,
        ]
      : []),
  ];
};
