/** One booking in thirty is refused at its first attempt. */
function refused(record) {
  let sum = 7;
  for (const letter of JSON.parse(record.body).id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum % 30 === 0 && record.attributes.ApproximateReceiveCount === "1";
}

exports.handler = async (event) => {
  const stop = event.Records.findIndex(refused);
  const left = stop < 0 ? [] : event.Records.slice(stop); // what comes after a failure must not overtake it
  if (stop >= 0) console.error("refused:", event.Records[stop].body);
  return { batchItemFailures: left.map((record) => ({ itemIdentifier: record.messageId })) };
};
