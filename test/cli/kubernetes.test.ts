import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseShard } from "../../src/cli/shard/choice.js";
import { invoke } from "./invoke.js";

/** What of a Job's schema (batch/v1) the manifests use: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1 */
const job = z.strictObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata: z.strictObject({ name: z.string().regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/) }),
  spec: z.strictObject({
    completions: z.int().positive().optional(),
    parallelism: z.int().positive().optional(),
    completionMode: z.enum(["Indexed", "NonIndexed"]).optional(),
    backoffLimit: z.int().nonnegative(),
    podFailurePolicy: z
      .strictObject({
        rules: z.array(
          z.strictObject({
            action: z.enum(["Ignore", "FailJob"]),
            onPodConditions: z
              .array(z.strictObject({ type: z.string(), status: z.enum(["True", "False"]) }))
              .optional(),
            onExitCodes: z
              .strictObject({ containerName: z.string(), operator: z.enum(["In", "NotIn"]), values: z.array(z.int()) })
              .optional(),
          }),
        ),
      })
      .optional(),
    template: z.strictObject({
      spec: z.strictObject({
        // The only one that a podFailurePolicy goes with.
        restartPolicy: z.literal("Never"),
        containers: z.tuple([
          z.strictObject({
            name: z.string(),
            image: z.string(),
            command: z.array(z.string()),
            args: z.array(z.string()).optional(),
            resources: z.strictObject({ requests: z.strictObject({ cpu: z.string(), memory: z.string() }) }),
            volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(
          z.strictObject({ name: z.string(), persistentVolumeClaim: z.strictObject({ claimName: z.string() }) }),
        ),
      }),
    }),
  }),
});

const manifest = (name: string) =>
  job.parse(parse(readFileSync(new URL(`../../scripts/kubernetes/${name}.yaml`, import.meta.url), "utf8")));

it("the Indexed Job has a completion for each shard, and a command line that the program takes", async () => {
  const { spec } = manifest("sweep");
  const [{ args = [] }] = spec.template.spec.containers;
  const shard = args.find(arg => arg.startsWith("--shard="))?.slice("--shard=".length) ?? "";
  const last = String((spec.completions ?? 0) - 1);
  expect(spec.completionMode).toBe("Indexed");
  expect(parseShard("--shard", shard, { JOB_COMPLETION_INDEX: last })).toEqual({ index: 7, count: spec.completions });
  // All of it but the part: the folder of the shards is not there.
  const { stderr } = await invoke("sweep", ...args.map(arg => arg.replace("auto/", "0/").replace("/shards/", "/no/")));
  expect(stderr).toMatch(/^fusemax: \/no\/.*: no such file or folder/);
});

it("the job that joins reads what the others write", () => {
  const [joins, shards] = [manifest("merge"), manifest("sweep")].map(({ spec }) => spec.template.spec);
  expect(joins?.volumes).toEqual(shards?.volumes);
  expect(joins?.containers[0].command.at(-1)).toContain(`${shards?.containers[0].volumeMounts[0]?.mountPath}/*.shard`);
});
