// Ask the service while someone types: after a pause, one question at a time, and only the newest is answered.

const PAUSE = 150; // ms after the last key
const SLOW = 600; // ms until it is said that an answer takes its time
const AWAY = 10_000; // ms until the service counts as away
const WAIT = 5; // seconds, where a service that is busy does not say how long
const PATIENCE = 60; // seconds: the longest wait after which it is asked again by itself
const BUSY = [429, 503];

export class Asking {
  #allows;
  #tell;
  #timer;
  #question = new AbortController();
  #free = 0; // when a busy service may be asked again

  // `allows(url)` may stop a question; `tell(what, detail)` hears of: slow, answer, busy, away, failed.
  constructor(allows, tell) {
    this.#allows = allows;
    this.#tell = tell;
  }

  ask(url, isAgain = false) {
    this.stop();
    const { signal } = (this.#question = new AbortController());
    const wait = this.#free - Date.now();
    if (wait > 0 && !this.#say(wait / 1000)) return;
    this.#timer = setTimeout(() => this.#allows(url) && this.#fetch(url, signal, isAgain), Math.max(PAUSE, wait));
  }

  stop() {
    clearTimeout(this.#timer);
    this.#question.abort();
  }

  async #fetch(url, signal, isAgain) {
    const slow = setTimeout(() => signal.aborted || this.#tell("slow"), SLOW);
    const [what, detail] = await answer(url, AbortSignal.any([signal, AbortSignal.timeout(AWAY)]));
    clearTimeout(slow);
    if (what === "busy") this.#free = Date.now() + detail * 1000;
    if (signal.aborted) return; // someone typed on meanwhile
    if (what !== "busy") this.#tell(what, detail);
    else if (isAgain) this.#tell("away");
    else this.ask(url, true);
  }

  // Whether a busy service is asked again by itself.
  #say(seconds) {
    const willAsk = seconds <= PATIENCE;
    this.#tell(willAsk ? "busy" : "away", Math.ceil(seconds));
    return willAsk;
  }
}

// A public GET without a header of its own and without cookies: no preflight.
async function answer(url, signal) {
  try {
    const response = await fetch(url, { signal, credentials: "omit" });
    if (response.ok) return ["answer", await response.json()];
    return BUSY.includes(response.status) ? ["busy", pause(response)] : ["failed", await response.text()];
  } catch {
    return ["away"];
  }
}

// Retry-After is a number of seconds or a date.
function pause(response) {
  const said = response.headers.get("Retry-After") ?? WAIT;
  const seconds = Number.isNaN(+said) ? (Date.parse(said) - Date.now()) / 1000 : +said;
  return Math.max(seconds || WAIT, 1);
}
