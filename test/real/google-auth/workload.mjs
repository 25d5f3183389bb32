// A pod's program in Node: what Google's library finds in the environment must be enough to read one address.
import { GoogleAuth } from "google-auth-library";

const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] });

async function read(url) {
  try {
    const client = await auth.getClient();
    const answer = await client.request({ url, responseType: "text" });
    return { status: answer.status, body: answer.data };
  } catch (error) {
    const { response } = error;
    // The library throws for every status that is no success, of the exchange as of the address itself.
    return response?.config.url.toString() === url ? { status: response.status, body: response.data } : { error: error.message };
  }
}

process.stdout.write(`${JSON.stringify(await read(process.argv[2]))}\n`);
