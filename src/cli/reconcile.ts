import type { AddCommand } from './command.ts';
export const addReconcile: AddCommand = () => undefined;
