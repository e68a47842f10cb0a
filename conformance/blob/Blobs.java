import com.azure.core.credential.TokenCredential;
import com.azure.core.http.rest.PagedIterable;
import com.azure.core.http.rest.Response;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.storage.blob.BlobClient;
import com.azure.storage.blob.BlobClientBuilder;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.blob.BlobServiceClient;
import com.azure.storage.blob.BlobServiceClientBuilder;
import com.azure.storage.blob.batch.BlobBatch;
import com.azure.storage.blob.batch.BlobBatchClient;
import com.azure.storage.blob.batch.BlobBatchClientBuilder;
import com.azure.storage.blob.models.*;
import com.azure.storage.blob.options.*;
import com.azure.storage.blob.sas.BlobSasPermission;
import com.azure.storage.blob.sas.BlobServiceSasSignatureValues;
import com.azure.storage.blob.specialized.*;
import com.azure.storage.common.StorageSharedKeyCredential;
import com.azure.storage.common.sas.AccountSasPermission;
import com.azure.storage.common.sas.AccountSasResourceType;
import com.azure.storage.common.sas.AccountSasService;
import com.azure.storage.common.sas.AccountSasSignatureValues;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/** The story of Blob storage with azure-storage-blob. Prints what it sees of each step. */
public class Blobs {
    static final String URL = env("ACCOUNT_URL"), ACCOUNT = env("ACCOUNT");
    static final StorageSharedKeyCredential KEY = new StorageSharedKeyCredential(ACCOUNT, env("ACCOUNT_KEY"));
    static final OffsetDateTime SOON = OffsetDateTime.now().plusHours(1), SHORTLY_BEFORE = OffsetDateTime.now().minusMinutes(1);
    static final BlobServiceClient SERVICE = new BlobServiceClientBuilder().endpoint(URL).credential(KEY).buildClient();
    static final BlobContainerClient ONE = SERVICE.getBlobContainerClient("one");

    static String env(String name) {
        return System.getenv(name);
    }

    static void say(String step, Object... seen) {
        System.out.println(step + ": " + BinaryData.fromObject(seen));
    }

    interface Act {
        void run() throws Exception;
    }

    /** The service's code for a refusal. */
    static String code(Act act) {
        try {
            act.run();
        } catch (BlobStorageException e) {
            return e.getErrorCode() == null ? String.valueOf(e.getStatusCode()) : e.getErrorCode().toString();
        } catch (Exception e) {
            return e.toString();
        }
        return "allowed";
    }

    static String text(BlobClientBase blob) {
        return blob.downloadContent().toString();
    }

    static BinaryData data(String text) {
        return BinaryData.fromString(text);
    }

    static ByteArrayInputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes());
    }

    static BlockBlobClient block(BlobContainerClient container, String name) {
        return container.getBlobClient(name).getBlockBlobClient();
    }

    static void put(BlobContainerClient container, String name, String content) {
        block(container, name).upload(data(content), true);
    }

    static <T, R> List<R> each(Iterable<T> all, Function<T, R> pick) {
        List<R> found = new ArrayList<>();
        all.forEach(one -> found.add(pick.apply(one)));
        return found;
    }

    static <T, R> List<List<R>> pages(PagedIterable<T> all, int size, Function<T, R> pick) {
        return each(all.iterableByPage(size), page -> each(page.getElements(), pick));
    }

    public static void main(String[] args) throws Exception {
        containers();
        blobs();
        changes();
        copies();
        lists();
        whole();
        large();
        signatures();
        others();
        SERVICE.deleteBlobContainer("three");
        BlobContainerClient three = SERVICE.getBlobContainerClient("three");
        String refused = code(three::getProperties);
        ListBlobContainersOptions deleted = new ListBlobContainersOptions().setPrefix("three").setDetails(new BlobContainerListDetails().setRetrieveDeleted(true));
        String version = SERVICE.listBlobContainers(deleted, null).iterator().next().getVersion();
        say("container deleted", refused, code(() -> SERVICE.undeleteBlobContainer("three", version)), text(three.getBlobClient("now")));
        System.exit(0); // netty's threads go on
    }

    static void containers() {
        ONE.createWithResponse(Map.of("color", "blue"), null, null, Context.NONE);
        BlobContainerClient two = SERVICE.createBlobContainer("two");
        SERVICE.createBlobContainer("three");
        say("container", code(ONE::create), ONE.getProperties().getMetadata());
        ONE.setMetadata(Map.of("color", "red"));
        ListBlobContainersOptions described = new ListBlobContainersOptions().setPrefix("one").setDetails(new BlobContainerListDetails().setRetrieveMetadata(true));
        say("containers", pages(SERVICE.listBlobContainers(), 2, BlobContainerItem::getName), each(SERVICE.listBlobContainers(described, null), BlobContainerItem::getMetadata));
        ONE.setAccessPolicy(null, List.of(new BlobSignedIdentifier().setId("readers")
                .setAccessPolicy(new BlobAccessPolicy().setStartsOn(SHORTLY_BEFORE).setExpiresOn(SOON).setPermissions("rl"))));
        BlobContainerAccessPolicies acl = ONE.getAccessPolicy();
        say("acl", acl.getBlobAccessType(), each(acl.getIdentifiers(), p -> List.of(p.getId(), p.getAccessPolicy().getPermissions())));
        BlobLeaseClient lease = new BlobLeaseClientBuilder().containerClient(two).buildClient();
        lease.acquireLease(15);
        say("container lease", code(two::delete), code(lease::renewLease), code(() -> lease.changeLease("00000000-0000-0000-0000-000000000001")));
        lease.breakLeaseWithResponse(new BlobBreakLeaseOptions().setBreakPeriod(Duration.ZERO), null, Context.NONE);
        lease.acquireLease(-1);
        lease.releaseLease();
    }

    static void blobs() throws Exception {
        BlockBlobClient put = block(ONE, "put"), blocks = block(ONE, "blocks");
        byte[] digits = "0123456789".getBytes(), sum = MessageDigest.getInstance("MD5").digest(digits);
        put.uploadWithResponse(new BlockBlobSimpleUploadOptions(BinaryData.fromBytes(digits)).setMetadata(Map.of("shape", "round")).setTags(Map.of("kind", "digit"))
                .setHeaders(new BlobHttpHeaders().setContentType("text/plain")).setContentMd5(sum), null, Context.NONE);
        BlobProperties seen = put.getProperties();
        say("put", text(put), seen.getBlobSize(), seen.getContentType(), seen.getMetadata(), Arrays.equals(seen.getContentMd5(), sum));
        say("put again", code(() -> put.upload(data("x"))));
        say("content", code(() -> blocks.stageBlockWithResponse("MQ==", stream("x"), 1, new byte[16], null, null, Context.NONE)));
        blocks.stageBlock("MQ==", data("one "));
        blocks.stageBlock("Mg==", data("two"));
        List<Integer> before = count(blocks);
        blocks.commitBlockList(List.of("Mg==", "MQ=="), true);
        say("blocks", before, count(blocks), text(blocks), code(() -> blocks.commitBlockList(List.of("Mw=="), true)));
        AppendBlobClient append = ONE.getBlobClient("append").getAppendBlobClient();
        append.create();
        append.appendBlock(stream("first "), 6);
        append.appendBlock(stream("second"), 6);
        say("append", text(append), code(() -> append.appendBlockWithResponse(stream("x"), 1, null, new AppendBlobRequestConditions().setAppendPosition(3L), null, Context.NONE)));
        append.seal();
        say("sealed", code(() -> append.appendBlock(stream("x"), 1)));
        ByteArrayOutputStream part = new ByteArrayOutputStream();
        put.downloadStreamWithResponse(part, new BlobRange(3, 4L), null, null, false, null, Context.NONE);
        say("range", part.toString(), code(() -> put.downloadStreamWithResponse(part, new BlobRange(100, 1L), null, null, false, null, Context.NONE)));
        BlobRequestConditions changed = new BlobRequestConditions().setIfNoneMatch(seen.getETag()), wrong = new BlobRequestConditions().setIfMatch("\"wrong\""),
                old = new BlobRequestConditions().setIfUnmodifiedSince(OffsetDateTime.parse("2020-01-01T00:00:00Z"));
        say("conditions", code(() -> put.downloadStreamWithResponse(part, null, null, changed, false, null, Context.NONE)),
                code(() -> put.uploadWithResponse(new BlockBlobSimpleUploadOptions(data("x")).setRequestConditions(wrong), null, Context.NONE)),
                code(() -> put.getPropertiesWithResponse(old, null, Context.NONE)));
    }

    static List<Integer> count(BlockBlobClient blob) {
        BlockList list = blob.listBlocks(BlockListType.ALL);
        return List.of(list.getCommittedBlocks().size(), list.getUncommittedBlocks().size());
    }

    static void changes() {
        BlockBlobClient put = block(ONE, "put");
        BlobLeaseClient held = new BlobLeaseClientBuilder().blobClient(put).buildClient();
        BlobRequestConditions holder = new BlobRequestConditions().setLeaseId(held.acquireLease(15));
        say("lease", code(() -> put.setMetadata(Map.of("a", "b"))), code(() -> put.setMetadataWithResponse(Map.of("shape", "square"), holder, null, Context.NONE)),
                put.getProperties().getLeaseState().toString());
        held.renewLease();
        held.changeLease("00000000-0000-0000-0000-000000000002");
        held.releaseLease();
        held.acquireLease(-1);
        held.breakLeaseWithResponse(new BlobBreakLeaseOptions().setBreakPeriod(Duration.ZERO), null, Context.NONE);
        BlobClientBase snapshot = put.createSnapshot();
        put(ONE, "put", "new");
        say("snapshot", text(snapshot), text(put), code(put::delete));
        put.setMetadata(Map.of("shape", "flat"));
        put.setHttpHeaders(new BlobHttpHeaders().setContentType("text/html").setCacheControl("no-store"));
        put.setAccessTier(AccessTier.COOL);
        BlobProperties seen = put.getProperties();
        say("properties", seen.getMetadata(), seen.getContentType(), seen.getCacheControl(), seen.getAccessTier().toString());
        put.setTags(Map.of("kind", "word", "size", "3"));
        BlobRequestConditions tagged = new BlobRequestConditions().setTagsConditions("\"kind\" = 'digit'");
        say("tags", put.getTags(), each(SERVICE.findBlobsByTags("\"kind\" = 'word' AND \"size\" >= '2'"), TaggedBlobItem::getName),
                each(ONE.findBlobsByTags("\"kind\" = 'word'"), TaggedBlobItem::getName),
                code(() -> put.downloadStreamWithResponse(new ByteArrayOutputStream(), null, null, tagged, false, null, Context.NONE)));
    }

    static BlobServiceSasSignatureValues reading() {
        return new BlobServiceSasSignatureValues(SOON, new BlobSasPermission().setReadPermission(true));
    }

    static void copies() {
        String source = block(ONE, "blocks").getBlobUrl() + "?" + block(ONE, "blocks").generateSas(reading());
        BlobContainerClient three = SERVICE.getBlobContainerClient("three");
        BlockBlobClient now = block(three, "now"), later = block(three, "later"), begun = block(three, "begun"), staged = block(three, "staged");
        AppendBlobClient grown = three.getBlobClient("grown").getAppendBlobClient();
        now.uploadFromUrl(source);
        later.copyFromUrl(source);
        BlobCopyInfo copied = begun.beginCopy(source, Duration.ofMillis(100)).waitForCompletion().getValue();
        staged.stageBlockFromUrl("MQ==", source, new BlobRange(0, 3L));
        staged.commitBlockList(List.of("MQ=="));
        grown.create();
        grown.appendBlockFromUrl(source, new BlobRange(0, 7L));
        say("copy", text(now), text(later), text(begun), text(staged), text(grown), begun.getProperties().getCopyStatus().toString(),
                code(() -> begun.abortCopyFromUrl(copied.getCopyId())), code(() -> now.uploadFromUrl(URL + "/one/none", true)));
    }

    static void lists() {
        for (String name : List.of("a/1", "a/2", "b/c/1")) {
            put(ONE, name, "x");
        }
        say("flat", pages(ONE.listBlobs(), 3, BlobItem::getName), each(ONE.listBlobs(new ListBlobsOptions().setPrefix("a/"), null), BlobItem::getName));
        say("hierarchy", each(ONE.listBlobsByHierarchy(""), BlobItem::getName), each(ONE.listBlobsByHierarchy("b/"), BlobItem::getName));
        BlobListDetails details = new BlobListDetails().setRetrieveMetadata(true).setRetrieveSnapshots(true).setRetrieveTags(true);
        say("included", each(ONE.listBlobs(new ListBlobsOptions().setPrefix("put").setDetails(details), null),
                b -> List.of(b.getName(), b.getMetadata(), b.getProperties().getTagCount(), b.getSnapshot() != null)));
    }

    static void whole() {
        BlobRetentionPolicy keep = new BlobRetentionPolicy().setEnabled(true).setDays(7);
        SERVICE.setProperties(new BlobServiceProperties().setDeleteRetentionPolicy(keep)
                .setCors(List.of(new BlobCorsRule().setAllowedOrigins("https://contoso.com").setAllowedMethods("GET").setAllowedHeaders("").setExposedHeaders(""))));
        BlobServiceProperties seen = SERVICE.getProperties();
        BlockBlobClient blocks = block(ONE, "blocks"), put = block(ONE, "put");
        say("service", seen.getDeleteRetentionPolicy().getDays(), each(seen.getCors(), BlobCorsRule::getAllowedOrigins),
                each(List.of(SERVICE.getAccountInfo(), ONE.getAccountInfo(null), put.getAccountInfo()), i -> i.getAccountKind().toString()));
        BlobBatchClient ofAccount = new BlobBatchClientBuilder(SERVICE).buildClient(), ofContainer = new BlobBatchClientBuilder(ONE).buildClient();
        BlobBatch deletes = ofAccount.getBlobBatch(), tiers = ofContainer.getBlobBatch();
        List<Response<?>> deleted = new ArrayList<>(), set = new ArrayList<>();
        for (String name : List.of("a/1", "a/2", "none")) {
            deleted.add(deletes.deleteBlob("one", name));
        }
        set.add(tiers.setBlobAccessTier("one", "b/c/1", AccessTier.COOL));
        ofAccount.submitBatchWithResponse(deletes, false, null, Context.NONE);
        ofContainer.submitBatchWithResponse(tiers, false, null, Context.NONE);
        say("batch", each(deleted, r -> code(r::getStatusCode)), each(set, r -> code(r::getStatusCode)));
        blocks.delete();
        BlobListDetails details = new BlobListDetails().setRetrieveDeletedBlobs(true);
        say("deleted", code(blocks::getProperties), each(ONE.listBlobs(new ListBlobsOptions().setPrefix("blocks").setDetails(details), null), b -> List.of(b.getName(), b.isDeleted())));
        blocks.undelete();
        put.deleteWithResponse(DeleteSnapshotsOptionType.ONLY, null, null, Context.NONE);
        say("undeleted", text(blocks), code(put::delete));
    }

    static void large() {
        byte[] big = new byte[100 << 20];
        new Random().nextBytes(big);
        ParallelTransferOptions parallel = new ParallelTransferOptions().setBlockSizeLong(8L << 20).setMaxSingleUploadSizeLong(8L << 20).setMaxConcurrency(4);
        BlobClient large = ONE.getBlobClient("large");
        large.uploadWithResponse(new BlobParallelUploadOptions(BinaryData.fromBytes(big)).setParallelTransferOptions(parallel), null, Context.NONE);
        byte[] back = large.downloadContent().toBytes();
        say("large", Arrays.equals(big, back), large.getBlockBlobClient().listBlocks(BlockListType.COMMITTED).getCommittedBlocks().size());
        large.delete();
    }

    static BlockBlobClient by(String blob, String sas) {
        return new BlobClientBuilder().endpoint(URL).containerName("one").blobName(blob).sasToken(sas).buildClient().getBlockBlobClient();
    }

    static void signatures() {
        String sas = SERVICE.generateAccountSas(new AccountSasSignatureValues(SOON, new AccountSasPermission().setReadPermission(true).setListPermission(true),
                new AccountSasService().setBlobAccess(true), new AccountSasResourceType().setService(true).setContainer(true).setObject(true)));
        BlobServiceClient service = new BlobServiceClientBuilder().endpoint(URL).sasToken(sas).buildClient();
        say("account SAS", each(service.listBlobContainers(), BlobContainerItem::getName), text(by("blocks", sas)), code(() -> put(service.getBlobContainerClient("one"), "x", "x")));
        BlockBlobClient blocks = block(ONE, "blocks"), signed = by("blocks", blocks.generateSas(reading()));
        say("service SAS", text(signed), code(() -> signed.upload(data("x"), true)));
        String stored = ONE.generateSas(new BlobServiceSasSignatureValues("readers"));
        BlobContainerClient readers = new BlobContainerClientBuilder().endpoint(URL).containerName("one").sasToken(stored).buildClient();
        List<String> listed = each(readers.listBlobs(new ListBlobsOptions().setPrefix("bl"), null), BlobItem::getName);
        String refused = code(() -> block(readers, "blocks").delete());
        ONE.setAccessPolicy(null, null);
        say("stored policy", listed, refused, code(() -> text(block(readers, "blocks"))));
        UserDelegationKey key = holder("WRITER").getUserDelegationKey(SHORTLY_BEFORE, SOON);
        BlockBlobClient delegated = by("blocks", blocks.generateUserDelegationSas(reading(), key));
        say("user delegation SAS", text(delegated), code(delegated::delete));
        say("altered SAS", code(() -> text(by("append", blocks.generateSas(reading())))));
    }

    static BlobServiceClient holder(String who) {
        TokenCredential token = new ClientSecretCredentialBuilder().tenantId(env("AZURE_TENANT_ID")).clientId(env(who + "_ID")).clientSecret(env(who + "_SECRET")).build();
        return new BlobServiceClientBuilder().endpoint(URL).credential(token).buildClient();
    }

    static void others() {
        BlobContainerClient anybody = new BlobContainerClientBuilder().endpoint(URL).containerName("one").buildClient();
        String closed = code(() -> text(block(anybody, "blocks")));
        ONE.setAccessPolicy(PublicAccessType.BLOB, null);
        String read = text(block(anybody, "blocks")), looked = code(anybody::getProperties);
        ONE.setAccessPolicy(PublicAccessType.CONTAINER, null);
        say("anonymous", closed, read, looked, each(anybody.listBlobs(new ListBlobsOptions().setPrefix("bl"), null), BlobItem::getName), code(() -> block(anybody, "blocks").delete()));
        ONE.setAccessPolicy(null, null);

        BlobContainerClient owner = holder("OWNER").getBlobContainerClient("one"), reader = holder("READER").getBlobContainerClient("one"), writer = holder("WRITER").getBlobContainerClient("one");
        say("no data role", code(() -> text(block(owner, "blocks"))), code(owner::getProperties));
        say("reader", text(block(reader, "blocks")), code(() -> put(reader, "x", "x")));
        say("contributor", code(() -> put(writer, "x", "x")), code(() -> block(writer, "x").delete()), code(() -> writer.setAccessPolicy(null, null)));
        BlobServiceClient keyed = new BlobServiceClientBuilder().endpoint(env("CLOSED_URL"))
                .credential(new StorageSharedKeyCredential(env("CLOSED_ACCOUNT"), env("CLOSED_ACCOUNT_KEY"))).buildClient();
        say("key disabled", code(() -> keyed.createBlobContainer("one")));
    }
}
