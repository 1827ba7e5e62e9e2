// The harness and whatever language host it found: a program reaches the engine, its values, secrets and errors come
// back. No vpc6 in it: when this fails, the tools are to blame (tools/setup, tools/engine/language-host).
import { describe, expect, test } from "vitest";
import { Engine } from "./engine.ts";

const resource = `
  import * as pulumi from "@pulumi/pulumi";
  const provider: pulumi.dynamic.ResourceProvider = {
    create: async (inputs) => ({ id: "thing-1", outs: { ...inputs, size: inputs.text.length } }),
    update: async (_id, _olds, news) => ({ outs: { ...news, size: news.text.length } }),
  };
  class Thing extends pulumi.dynamic.Resource {
    declare readonly size: pulumi.Output<number>;
    constructor(name: string, text: pulumi.Input<string>) {
      super(provider, name, { text, size: undefined });
    }
  }
`;

describe("a dynamic resource", () => {
  test("goes through preview, up, refresh and destroy", async () => {
    // As users have it, like the main job in the lab; all other tests have parts of the SDK loaded late.
    await using engine = await Engine.start({ plain: true });
    await engine.program(`${resource}\nexport const size = new Thing("one", "three").size;`);

    const up = await engine.up({ args: ["--skip-preview=false", "--diff"] });
    expect(up.code, up.all).toBe(0);
    for (const said of ['text      : "three"', "2 to create", "2 created"]) expect(up.stdout).toContain(said);
    // Of a plugin found in an unexpected place.
    expect(up.all).not.toMatch(/warning|\$PATH/);
    expect(await engine.output("size")).toBe(5);
    const { deployment } = await engine.export();
    expect(deployment).toEqual(JSON.parse((await engine.run(["stack", "export"])).stdout).deployment);
    expect(deployment.resources?.find(({ id }) => id === "thing-1")?.outputs).toMatchObject({ text: "three", size: 5 });

    const same = await engine.preview({ json: true, args: ["--expect-no-changes"] });
    expect(same).toMatchObject({ code: 0 });
    const { steps } = JSON.parse(same.stdout);
    expect(new Set(steps.map(({ op }: { op: string }) => op))).toEqual(new Set(["same"]));
    expect(await engine.refresh()).toMatchObject({ code: 0, stdout: expect.stringContaining("2 unchanged") });
    expect(await engine.destroy()).toMatchObject({ code: 0, stdout: expect.stringContaining("2 deleted") });
    expect((await engine.export()).deployment.resources ?? []).toEqual([]);
  });
});

describe("the program", () => {
  test("is stripped of its types by Node.js itself, in a sub-folder that is its working directory, and gets its configuration, secrets as secrets", async () => {
    await using engine = await Engine.start({
      main: "deep/down/index.ts",
      runtimeOptions: { nodeargs: "--title='a b'" },
    });
    await engine.config("region", "ams1");
    await engine.config("password", "hunter2", { secret: true });
    await engine.program(`
      export const strippedBy: string = process.env.PULUMI_NODEJS_TYPESCRIPT ?? "Node.js";
      export const cwd: string = process.cwd();
      export const title: string = process.title;
      import * as pulumi from "@pulumi/pulumi";
      export const names: string[] = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()];
      export const root: string = pulumi.getRootDirectory();
      const config = new pulumi.Config();
      export const region = config.require("region");
      export const password = config.requireSecret("password");
      export const length = password.apply((text) => text.length);
    `);
    const up = await engine.up();
    expect(up, up.all).toMatchObject({ code: 0 });
    expect(await engine.output("strippedBy")).toBe("Node.js");
    expect(await engine.output("cwd")).toBe(`${engine.folder}/deep/down`);
    expect(await engine.output("title")).toBe("a b");
    expect(await engine.output("names")).toEqual(["organization", "test", "dev"]);
    expect(await engine.output("root")).toBe(engine.folder);
    expect(await engine.output("region")).toBe("ams1");
    // All at once, as the CLI decrypts them.
    const { stdout } = await engine.run(["stack", "output", "--json", "--show-secrets"]);
    expect(JSON.parse(stdout)).toMatchObject({ password: "hunter2", length: 7 });
    expect(up.all + (await engine.stateFile())).not.toContain("hunter2");
    expect(up.stdout).toContain("[secret]");
  });

  test("that throws fails the command with its message, said once", async () => {
    await using engine = await Engine.start();
    await engine.program(`throw new Error("no such zone");`);
    for (const ended of [await engine.preview(), await engine.up()]) {
      expect(ended.code).not.toBe(0);
      expect(ended.all).toContain("no such zone");
      expect(ended.all).not.toContain("exit code");
    }
  });

  test("that leaves with an exit code of its own fails the command", async () => {
    await using engine = await Engine.start();
    await engine.program(`console.log("on its way out"); process.exit(3);`);
    const ended = await engine.up();
    expect(ended.code).not.toBe(0);
    expect(ended.all).toContain("on its way out");
    expect(ended.all).toContain("exit code: 3");
  });
});

test("a failing create is told, and the resource is not in the state", async () => {
  await using engine = await Engine.start();
  await engine.program(
    resource.replace(/create: .*/, `create: async () => { throw new Error("router on fire"); },`) +
      `new Thing("one", "x");`,
  );
  const up = await engine.up();
  expect(up.code).not.toBe(0);
  expect(up.all).toContain("router on fire");
  expect((await engine.export()).deployment.resources?.filter(({ id }) => id === "thing-1")).toEqual([]);
});
