/** Seconds of processors that this process has had since `began`: other processes on the machine are not what is measured. */
export function processorSeconds(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}
