/**
 * A concern's judgement, without life: no clock, no randomness, no I/O. Time and random numbers arrive in the input.
 * `evolve` may update the state it is given in place and return it: a state has one owner, the actor that folds it.
 * Law: folding the same events in the same order gives an equal state, whoever folds them.
 */
export type Decider<State, Input, Decision, Event> = {
  readonly initialState: () => State;
  readonly decide: (input: Input, state: State) => Decision;
  readonly evolve: (state: State, event: Event) => State;
};
