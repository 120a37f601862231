/** The same value for equal texts, made once: what comes again and again is one object, and found by it. Begins anew when there are too many. */
export const interning = <Made>(make: (text: string) => Made): ((text: string) => Made) => {
  const known = new Map<string, Made>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (known.size >= mostKept) known.clear();
    known.set(text, made);
    return made;
  };
};

const mostKept = 10_000;
