import type { AddCommand } from './command.ts';
export const addRebuild: AddCommand = () => undefined;
