// What kubeassume uses of undici, in place of its index, which also brings fetch, WebSockets, caches and mocks:
// two fifths of the size of the whole, loaded by every command that sends a request. The build puts it in (lean-bundle.ts);
// should a version of undici move these files, the build fails.
import api from "undici/lib/api/index.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import EnvHttpProxyAgent from "undici/lib/dispatcher/env-http-proxy-agent.js";
import ProxyAgent from "undici/lib/dispatcher/proxy-agent.js";

Object.assign(Dispatcher.prototype, api);

export { EnvHttpProxyAgent, ProxyAgent };
