// Looks for the number whose SHA-256 with the challenge begins with enough zero bits (services/intake/domain/work.py).
"use strict";
onmessage = async ({ data: { challenge, bits } }) => {
  const encoder = new TextEncoder();
  const batch = 256;
  for (let at = 0; ; at += batch) {
    const digests = await Promise.all(
      Array.from({ length: batch }, (_, i) => crypto.subtle.digest("SHA-256", encoder.encode(`${challenge}:${at + i}`))),
    );
    const found = digests.findIndex((digest) => {
      const view = new DataView(digest);
      const zeros = Math.clz32(view.getUint32(0));
      return (zeros < 32 ? zeros : 32 + Math.clz32(view.getUint32(4))) >= bits;
    });
    if (found >= 0) return postMessage({ answer: at + found });
    postMessage({ share: Math.min(95, 100 * (1 - Math.exp(-at / 2 ** bits))) });
  }
};
