/** The package's main file is CommonJS under `"type": "module"` and cannot be loaded; its module build can. */
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export * from "wgsl_reflect";
}
