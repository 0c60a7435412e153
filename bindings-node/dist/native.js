"use strict";
// Finds and loads the native half of the package.
Object.defineProperty(exports, "__esModule", { value: true });
exports.native = void 0;
/** The platforms that a package exists for, by `process.platform`, `process.arch` and the C library. */
const PLATFORMS = ['linux-x64-gnu'];
function platform() {
    const base = `${process.platform}-${process.arch}`;
    if (process.platform !== 'linux')
        return base;
    const report = process.report.getReport();
    return `${base}-${report.header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}
function isMissing(error, what) {
    const { code, message } = error;
    return code === 'MODULE_NOT_FOUND' && message !== undefined && message.includes(what);
}
/** The addon that `bindings-node/build` made here, or else the one of the platform's own package. */
function load() {
    const name = platform();
    const local = `../airwasm.${name}.node`;
    const packaged = `@airssys/wasm-${name}`;
    for (const from of [local, packaged]) {
        try {
            return require(from);
        }
        catch (error) {
            if (!isMissing(error, from))
                throw error;
        }
    }
    throw new Error(PLATFORMS.includes(name)
        ? `@airssys/wasm needs the package ${packaged}, which is not installed: npm install ${packaged}`
        : `@airssys/wasm needs the package ${packaged}, which does not exist yet; there is one for ${PLATFORMS.join(', ')}`);
}
exports.native = load();
