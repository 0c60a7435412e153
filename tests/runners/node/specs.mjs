// Specs of actors and supervisors as the keys of a step say them.

/** The value of a JSON text. For what is none, a value that JSON cannot hold: here that is how to say it. */
function configOf(text) {
  try {
    return text && JSON.parse(text)
  } catch {
    return () => text
  }
}

/** The variables of lines `NAME=value`. */
function variablesOf(text) {
  const pair = (line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]
  return text && Object.fromEntries(text.split('\n').map(pair))
}

/** The keys that guests and functions of the host share. */
export function hostOptions(step) {
  const keys = ['name', 'restart', 'overflow', 'errors_max', 'health_interval_ms', 'health_missed']
  return { ...step.pick(keys), limits: step.pick(['mailbox_messages']) }
}

/** The keys of a guest, its component apart. */
export function guestOptions(step) {
  const { limits, ...options } = hostOptions(step)
  return {
    ...options,
    budget: step.pick(['cpu_ms', 'wall_ms', 'host_calls', 'output_bytes', 'fuel']),
    limits: { ...limits, ...step.pick(['memory_bytes', 'handles', 'payload_bytes', 'cpu_percent', 'written_bytes', 'region_bytes']) },
    grants: step.get('grant')?.split('\n'),
    args: step.get('args')?.split('\n'),
    env: variablesOf(step.get('env')),
    httpListen: step.get('http_listen'),
    config: configOf(step.get('config')),
  }
}

/** The keys of an actor that does for others what the operating system does. */
export function serviceOptions(step) {
  const grants = step.get('grant')?.split('\n')
  return { ...step.pick(['name', 'restart']), limits: step.pick(['payload_bytes']), grants }
}

/** The keys of a supervisor, its children apart. */
export function supervisorSpec(step) {
  return {
    ...step.pick(['name', 'strategy', 'intensity', 'period_ms', 'give_up', 'auto_shutdown', 'restart']),
    backoff: { initialMs: step.get('initial_ms') },
  }
}
