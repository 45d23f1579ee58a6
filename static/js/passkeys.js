// Passkeys: a form with data-passkey asks the browser for a credential before it is sent.
// "create" makes one, "get" signs with one. The options for it are JSON, in the element of the page
// that data-options names, or at the URL of the form's action.
"use strict";

const REASONS = {
  NotAllowedError: "Nothing was chosen, or it took too long: try again when you are ready.",
  InvalidStateError: "This device holds a passkey of your account already.",
  SecurityError: "Passkeys work at the portal's own address alone, over HTTPS.",
  NotSupportedError: "This device cannot make such a passkey.",
};
const ABILITIES = { create: "parseCreationOptionsFromJSON", get: "parseRequestOptionsFromJSON" };

async function optionsOf(form) {
  const holder = document.getElementById(form.dataset.options);
  if (holder) return Object.values(JSON.parse(holder.textContent))[0].publicKey;
  const response = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error("The portal did not answer: try again in a minute.");
  return (await response.json()).request_options.publicKey;
}

async function credentialFor(form) {
  const options = await optionsOf(form);
  if (form.dataset.passkey === "get") {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return navigator.credentials.get({ publicKey });
  }
  if (form.elements.passwordless.checked) {
    // Stored on the device with the account's name, so that it signs in without a password.
    Object.assign(options.authenticatorSelection, {
      residentKey: "required", requireResidentKey: true, userVerification: "required",
    });
  }
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return navigator.credentials.create({ publicKey });
}

function say(form, words) {
  const place = form.querySelector("[data-passkey-fault]");
  place.textContent = words;
  place.hidden = !words;
}

function prepare(form) {
  const able = window.PublicKeyCredential?.[ABILITIES[form.dataset.passkey]];
  if (!able) {
    form.querySelector("button").disabled = true;
    say(form, window.isSecureContext
      ? "This browser is too old for passkeys here."
      : "Browsers offer passkeys over HTTPS alone.");
    return;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say(form, "");
    try {
      form.elements.credential.value = JSON.stringify(await credentialFor(form));
      form.submit();
    } catch (error) {
      say(form, REASONS[error.name] || error.message);
    }
  });
}

document.querySelectorAll("form[data-passkey]").forEach(prepare);
