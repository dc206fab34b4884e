import { useEffect, useRef, useState } from "preact/hooks";

/** Longer than anything that is asked here was seen to take. */
const patienceMilliseconds = 10_000;

/**
 * A thread's answer to the request as it is; null until the first is there. A newer request ends the work on an older one.
 * @param key what the request says: another one is asked anew
 * @param failed the answer in the place of one that does not come
 */
export function useThread<Request, Answer>(
  start: () => Worker,
  request: Request,
  key: string,
  failed: (why: string) => Answer,
): Answer | null {
  const worker = useRef<Worker | null>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    worker.current ??= start();
    const thread = worker.current;
    let waiting = true;
    const end = () => {
      thread.terminate();
      worker.current = null;
    };
    const take = ({ data }: MessageEvent<Answer>) => {
      waiting = false;
      clearTimeout(timer);
      setAnswer(data);
    };
    const fail = (why: string) => {
      waiting = false;
      end();
      setAnswer(failed(why));
    };
    const timer = setTimeout(() => fail("this takes too long for a page"), patienceMilliseconds);
    thread.addEventListener("message", take, { once: true });
    thread.onerror = event => fail(`it ended in an error: ${event.message}`);
    thread.postMessage(request);
    return () => {
      clearTimeout(timer);
      thread.removeEventListener("message", take);
      if (waiting) end();
    };
  }, [key]);
  useEffect(() => () => worker.current?.terminate(), []);
  return answer;
}
