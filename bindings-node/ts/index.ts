// What the package is made of.

export { Actor } from './actor'
export { Component } from './component'
export type * from './data'
export { AirwasmError, codes, Failure } from './errors'
export { Grant } from './grant'
export { UNLIMITED } from './options'
export type * from './options'
export { Subscription } from './subscription'
export type * from './supervision'
export { Supervisor } from './supervisor'
export { System } from './system'
export { Timer } from './timer'
