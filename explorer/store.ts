import { useEffect, useReducer } from "preact/hooks";

/** A value that outlives the parts of the page which show it. */
export interface Store<T> {
  readonly get: () => T;
  /** Changes some of it and tells whoever shows it. */
  readonly set: (part: Partial<T>) => void;
  readonly subscribe: (told: () => void) => () => void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: part => {
      value = { ...value, ...part };
      for (const told of listeners) told();
    },
    subscribe: told => {
      listeners.add(told);
      return () => void listeners.delete(told);
    },
  };
}

/** The store's value; the component is drawn again when it changes. */
export function useStore<T extends object>(store: Store<T>): T {
  const [, again] = useReducer((n: number, _: undefined) => n + 1, 0);
  useEffect(() => store.subscribe(() => again(undefined)), [store]);
  return store.get();
}
