// The same module for `import`: one copy of the classes, however the package is loaded.
export {
  Actor, AirwasmError, codes, Component, Failure, Grant, Subscription, Supervisor, System, Timer, UNLIMITED,
} from './dist/index.js'
