declare const __VERSION__: string;
/** Where the sources are, as a page; null where package.json does not say. */
declare const __SOURCE__: string | null;

/** What this is a page of, and where to read on. */
export function About() {
  return (
    <footer class="about quiet">
      <p>
        fusemax {__VERSION__}, after <a href="https://arxiv.org/abs/2406.10491">the FuseMax paper</a>.{" "}
        {__SOURCE__ === null ? (
          <>
            Its documentation is the folder <code>docs</code> of the repository that this page was built from, beginning
            with <code>docs/explorer.md</code>; this copy was not told the repository's address.
          </>
        ) : (
          <>
            <a href={__SOURCE__}>Source</a> and <a href={`${__SOURCE__}/tree/HEAD/docs`}>documentation</a>.
          </>
        )}
      </p>
    </footer>
  );
}
