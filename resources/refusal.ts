// What a constructor refuses, as the user of the Pulumi CLI reads it: in words, without a stack trace. What is wrong is in the program, and
// the message says which resource and argument; a trace through this package says nothing more. (Bugs of vpc6 are plain errors.)

import * as pulumi from "@pulumi/pulumi";
import { underTheCli } from "./program";

export function refusal(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  // The SDK prints the stack of what is thrown in an `apply`, of whatever kind it is. Other hosts (tests, the Automation API) keep it.
  if (underTheCli) error.stack = message;
  return error;
}
