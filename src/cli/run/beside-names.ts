/** What a file may hold beside Q, K and V of an attention, under the same prefix. */
export const besideNames = ["mask", "bias", "sink", "scale", "softcap"] as const;
export type BesideName = (typeof besideNames)[number];
