/** Where in the user's own code a step was applied. */
export { userLocation } from "../base/frames.ts";
