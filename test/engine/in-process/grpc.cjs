// What the SDK has of gRPC where nobody is spoken to over a socket: the names it looks up when it loads (late.cjs gives it these in place of the
// library, of which no more is loaded), and the service that its dynamic provider registers.
"use strict";

const src = "@grpc/grpc-js/build/src";
/** @type {Record<string, Function>[]} */
const registered = [];

module.exports = {
  registered,
  instead: {
    status: require(`${src}/constants`).Status,
    Metadata: require(`${src}/metadata`).Metadata,
    credentials: { createInsecure: () => undefined },
    ServerCredentials: { createInsecure: () => undefined },
    makeGenericClientConstructor: () => class {},
    Server: class {
      /** @param {unknown} _definition @param {Record<string, Function>} implementation */
      addService(_definition, implementation) {
        registered.push(implementation);
      }
      bindAsync() {}
    },
  },
};
