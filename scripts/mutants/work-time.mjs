/** Milliseconds for which processors worked for this process: what others do meanwhile takes none of a budget. */
export function workTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
